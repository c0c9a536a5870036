"""The conversation as the Chatbot shows it: reasoning folded, the answer, and a line of numbers beneath."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from workbench.core.chat import ToolCall
from workbench.ui.languages import translated
from workbench.ui.params.request_options import schema_fault
from workbench.ui.thread.applied import applied_html
from workbench.ui.thread.guard_mark import guard_html
from workbench.ui.thread.metrics import FINISH_REASONS, AnswerMetrics, duration, in_credits
from workbench.ui.thread.session import Turn
from workbench.ui.thread.token_view import tokens_html

TURNS_SHOWN = 100
"""The browser shows the last turns only: rendering time grows with the thread; the session keeps them all."""


def chat_messages(turns: Sequence[Turn], *, is_running: bool = False) -> list[dict[str, Any]]:
    """The Chatbot's value. Each assistant message is a list of parts: reasoning, answer, foot."""
    first = max(0, len(turns) - TURNS_SHOWN)
    messages: list[dict[str, Any]] = []
    for index, turn in enumerate(turns[first:], first):
        messages.append({"role": "user", "content": turn.user})
        is_open = is_running and index == len(turns) - 1
        if parts := _assistant_parts(turn, is_open):
            content = [{"type": "text", "text": part} for part in parts]
            messages.append({"role": "assistant", "content": content})
    return messages


def _assistant_parts(turn: Turn, is_open: bool) -> list[str]:
    parts: list[str] = []
    if turn.reasoning:
        parts.append(_reasoning_html(turn.reasoning, is_open=is_open and not turn.answer))
    if turn.answer:
        parts.append(turn.answer)
    elif is_open and not turn.has_answer:
        parts.append(translated(_WAITING))
    if turn.tool_calls:
        parts.append(_on_one_line(_calls_html(turn.tool_calls)))
    if turn.metrics is not None:
        parts.append(_foot_of(turn, turn.metrics))
    return parts


def _foot_of(turn: Turn, metrics: AnswerMetrics) -> str:
    """All that stands under the answer, written once for these numbers."""
    if turn.foot is None or turn.foot[0] is not metrics:
        foot = foot_html(turn) + tokens_html(turn.tokens) + applied_html(metrics.effective)
        turn.foot = metrics, _on_one_line(translated(foot))
    return turn.foot[1]


def _on_one_line(html: str) -> str:
    """The same markup without line breaks: to Markdown an empty line would end it."""
    return html.replace("\n", "&#10;")


_WAITING = (
    '<div class="wb-waiting" role="status"><span class="wb-dot"></span><span class="wb-dot"></span>'
    '<span class="wb-dot"></span><span class="wb-sr">Waiting for the first token</span></div>'
)


def _reasoning_html(text: str, *, is_open: bool) -> str:
    """The model's reasoning as text, folded unless it is all there is so far."""
    state = " open" if is_open else ""
    body = escape(text).replace("\n", "<br>")
    title = translated("Thinking" if is_open else "Reasoning")
    return f'<details class="wb-reasoning"{state}><summary>{title}</summary><div>{body}</div></details>'


def _calls_html(calls: Sequence[ToolCall]) -> str:
    """The functions the model wants called, and with what."""
    blocks = "".join(
        f'<div class="wb-call"><b>{escape(call.name)}</b><code>{escape(call.arguments)}</code></div>'
        for call in calls
    )
    said = translated("Calls a tool; your next message is its result.")
    return f'<div class="wb-calls"><span>{said}</span>{blocks}</div>'


def foot_html(turn: Turn) -> str:
    """The line under an answer: time to first token, speed, tokens in and out, cost, why it ended, what was found."""
    metrics = turn.metrics
    if metrics is None:
        return ""
    parts = [_COPY] if turn.answer else []
    if metrics.conditions:
        parts.append(f'<span class="wb-conditions">{escape(metrics.conditions)}</span>')
    parts += [f'<span title="{escape(meaning)}">{escape(text)}</span>' for text, meaning in _facts(metrics)]
    if metrics.remark:
        parts.append(f'<span class="wb-remark">{escape(metrics.remark)}</span>')
    label, meaning = FINISH_REASONS.get(metrics.finish_reason, (metrics.finish_reason, ""))
    quiet = "" if metrics.finish_reason in ("stop", "tool_calls") else " wb-marked"
    parts.append(f'<span class="wb-finish{quiet}" title="{escape(meaning)}">{escape(label)}</span>')
    was_blocked = metrics.finish_reason == "content_filter"
    parts += [_schema_html(turn), guard_html(turn.verdicts, was_blocked=was_blocked)]
    return f'<div class="wb-foot">{"".join(parts)}</div>'


def _facts(metrics: AnswerMetrics) -> list[tuple[str, str]]:
    """The numbers that are known, each with how it is defined."""
    facts: list[tuple[str, str]] = []
    if metrics.ttft_seconds is not None:
        facts.append((f"TTFT {duration(metrics.ttft_seconds)}", "Sent to the first token"))
    if metrics.tokens_per_second is not None:
        facts.append((f"{metrics.tokens_per_second:.1f} tokens/s", "(tokens - 1) / (last - first token)"))
    facts.append((f"{metrics.prompt_tokens} in", "Tokens of the prompt, the conversation included"))
    facts.append((f"{metrics.completion_tokens} out", "Tokens of the answer, reasoning included"))
    if metrics.cost is not None:
        facts.append((f"{in_credits(metrics.cost)} credits", "Tokens x the model's price"))
    return facts


def _schema_html(turn: Turn) -> str:
    """Whether the answer is what the schema asked for; "" when none was asked."""
    if turn.output_format is None:
        return ""
    fault = schema_fault(turn.answer, turn.output_format)
    if not fault:
        return '<span class="wb-schema">Valid by the schema</span>'
    return f'<span class="wb-schema wb-marked" title="{escape(fault)}">Not valid by the schema</span>'


_COPY = (
    '<button type="button" class="wb-copy" title="Copy the answer"><i class="wb-i-copy"></i>'
    "<span>Copy</span></button>"
)

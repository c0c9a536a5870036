"""From a model's raw text to content, reasoning and tool calls, by the model's own markers.

transformers' ResponseParser does the reading. A tokenizer may ship its `response_template`; otherwise the markers that
its chat template uses say which of the common formats it speaks.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.chat import ChatPrompt, Delta, FinishReason, Tool, ToolCallDelta, ToolChoiceMode

HERMES_OPEN, HERMES_CLOSE = "<tool_call>", "</tool_call>"
THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
MISTRAL_OPEN = "[TOOL_CALLS]"
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """How this request's text is to be read.

    `template` is a response template for transformers' parser, None for plain text. `is_forced_call` says that a
    grammar makes the whole text a JSON list of calls; `may_be_bare_call` that a text that is one JSON object may be
    one (Llama 3's format). `prefix` is the rendered prompt, which may open a marker itself.
    """

    template: Mapping[str, Any] | None = None
    prefix: str = ""
    tool_names: frozenset[str] = frozenset()
    is_forced_call: bool = False
    may_be_bare_call: bool = False
    markers: tuple[str, ...] = ()


def plan_output(
    prompt: ChatPrompt, rendered: str, chat_template: str, shipped: Mapping[str, Any] | None
) -> OutputPlan:
    """The plan for one chat request.

    Args:
        prompt: what was asked.
        rendered: the prompt's text as the model sees it.
        chat_template: the tokenizer's own template, whose markers tell its format.
        shipped: the tokenizer's response_template, where it has one.
    """
    names = frozenset(tool.name for tool in prompt.tools)
    if prompt.tool_choice.mode in (ToolChoiceMode.REQUIRED, ToolChoiceMode.NAMED):
        return OutputPlan(tool_names=names, is_forced_call=True)
    calls_tools = bool(names) and prompt.tool_choice.mode is ToolChoiceMode.AUTO
    thinks = THINK_CLOSE in chat_template
    if shipped is not None and (thinks or calls_tools):
        return OutputPlan(template=shipped, prefix=rendered, tool_names=names)
    if not (thinks or calls_tools):
        return OutputPlan()
    speaks_mistral = MISTRAL_OPEN in chat_template
    speaks_bare_json = calls_tools and not speaks_mistral and HERMES_OPEN not in rendered
    fields: dict[str, Any] = {"content": {"content": "text"}}
    markers: list[str] = []
    if thinks:
        fields["reasoning_content"] = {"open": THINK_OPEN, "close": THINK_CLOSE, "content": "text"}
        markers += [THINK_OPEN, THINK_CLOSE]
    if calls_tools and speaks_mistral:
        fields["tool_calls"] = {"open": MISTRAL_OPEN, "close_pattern": r"\Z(?!)", "content": "text"}
        markers.append(MISTRAL_OPEN)
    elif calls_tools and not speaks_bare_json:
        fields["tool_calls"] = {
            "open_pattern": r"\s*<tool_call>", "close": HERMES_CLOSE, "repeats": True, "content": "text",
        }  # fmt: skip
        markers += [HERMES_OPEN, HERMES_CLOSE]
    return OutputPlan(
        template={"start_anchor_pattern": r"\A", "fields": fields} if markers else None,
        prefix=_open_tail(rendered) if thinks else "",
        tool_names=names,
        may_be_bare_call=speaks_bare_json,
        markers=tuple(markers),
    )


def _open_tail(rendered: str) -> str:
    """The end of the prompt from its last opening marker, when the template itself began the reasoning."""
    place = rendered.rfind(THINK_OPEN)
    return rendered[place:] if place >= 0 and THINK_CLOSE not in rendered[place:] else ""


class OutputReader:
    """Reads one choice's text as it comes."""

    def __init__(self, plan: OutputPlan) -> None:
        self._plan = plan
        self._held: list[str] = []
        self._calls = 0
        self._in_reasoning = False
        self._parser = _parser(plan)
        for event in self._parser.initial_events if self._parser is not None else ():
            self._follow(event)

    def read(self, delta: Delta) -> tuple[Delta, bool]:
        """The delta with its text put where it belongs, and whether its token counts as reasoning."""
        began_in_reasoning = self._in_reasoning
        is_end = delta.finish_reason is not None
        content, reasoning, calls = self._split(delta.content, is_end)
        finish = delta.finish_reason
        if finish is FinishReason.STOP and self._calls:
            finish = FinishReason.TOOL_CALLS
        made = Delta(
            delta.index, content, reasoning, tuple(calls), delta.logprobs, delta.token_count, finish, delta.at
        )
        return made, began_in_reasoning or self._in_reasoning

    def _split(self, text: str, is_end: bool) -> tuple[str, str, list[ToolCallDelta]]:
        if self._plan.is_forced_call or self._holds_bare_call(text):
            self._held.append(text)
            return ("", "", []) if not is_end else self._held_calls()
        if self._parser is None:
            return text, "", []
        events = list(self._parser.feed(text))
        if is_end:
            events += self._parser.finalize()[1]
        content, reasoning, calls = "", "", []
        for event in events:
            more_content, more_reasoning, more_calls = self._follow(event)
            content, reasoning = content + more_content, reasoning + more_reasoning
            calls += more_calls
        return content, reasoning, calls

    def _holds_bare_call(self, text: str) -> bool:
        """True while the text so far could be a bare JSON call."""
        if not self._plan.may_be_bare_call:
            return False
        return bool(self._held) or text.lstrip()[:1] in ("{", "[")

    def _held_calls(self) -> tuple[str, str, list[ToolCallDelta]]:
        """The held text as calls, or as content when it is none."""
        text = "".join(self._held)
        calls = self._read_calls(text)
        return ("", "", calls) if calls else (text, "", [])

    def _follow(self, event: Mapping[str, Any]) -> tuple[str, str, list[ToolCallDelta]]:
        """One parser event as content, reasoning and calls."""
        field, kind = event.get("field"), event["type"]
        if field in _REASONING_FIELDS:
            self._in_reasoning = kind != "region_close"
        if kind == "region_close" and field == "tool_calls":
            value = event.get("value")
            text = value if isinstance(value, str) else json.dumps(value)
            calls = self._read_calls(text)
            return ("", "", calls) if calls else (text, "", [])
        if kind != "region_chunk" or event.get("dirty") or field == "tool_calls":
            return "", "", []
        text = event.get("text") or ""
        return ("", text, []) if field in _REASONING_FIELDS else (text, "", [])

    def _read_calls(self, text: str) -> list[ToolCallDelta]:
        """Calls in `{"name", "arguments" | "parameters"}` objects, one or a list; none when the text is not that."""
        try:
            value = json.loads(text.strip())
        except ValueError:
            return []
        made: list[ToolCallDelta] = []
        for item in value if isinstance(value, list) else [value]:
            inner = item.get("function", item) if isinstance(item, dict) else None
            if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
                return []
            arguments = inner.get("arguments", inner.get("parameters", {}))
            spelled = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            made.append(
                ToolCallDelta(
                    self._calls + len(made), f"call_{secrets.token_hex(12)}", inner["name"], spelled
                )
            )
        self._calls += len(made)
        return made


def _parser(plan: OutputPlan) -> Any:
    if plan.template is None:
        return None
    from transformers.utils.chat_parsing import ResponseParser

    return ResponseParser(dict(plan.template), prefix=plan.prefix)


def call_schema(tools: Sequence[Tool], *, only: str | None, is_parallel: bool) -> dict[str, Any]:
    """The JSON schema of a list of calls of these tools, `only` one of them when named."""
    picked = [tool for tool in tools if only is None or tool.name == only]
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"const": tool.name},
                "arguments": dict(tool.parameters) or {"type": "object"},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in picked
    ]
    most = {} if is_parallel and only is None else {"maxItems": 1}
    return {
        "type": "array",
        "minItems": 1,
        "items": calls[0] if len(calls) == 1 else {"anyOf": calls},
        **most,
    }


def tools_as_text(tools: Sequence[Tool]) -> str:
    """The system text that tells a model whose template knows no tools which it may call, and how."""
    listed = "\n".join(
        json.dumps({"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)})
        for tool in tools
    )
    return (
        f"You may call these functions:\n{listed}\n"
        f'To call one, write {HERMES_OPEN}{{"name": ..., "arguments": {{...}}}}{HERMES_CLOSE} and nothing else.'
    )

"""What one answer took, measured from the engine's own token times, and how it is written under the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.core.chat import Delta, Finished, FinishReason, Started, StreamEvent, Usage


@dataclass(frozen=True, slots=True)
class AnswerMetrics:
    """One answer's numbers; None where it is not known.

    `ttft_seconds`: sent to the first token of any channel. `tokens_per_second`: (tokens - 1) / (last token -
    first token), the reciprocal of TPOT over the decode phase. `cost` is in credits. `effective` is the backend's
    report of the settings it applied; `conditions` says what else ran on the machine meanwhile, "" where that was
    not watched.
    """

    ttft_seconds: float | None
    tokens_per_second: float | None
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    finish_reason: str
    seconds: float
    conditions: str = ""
    remark: str = ""
    effective: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Stopwatch:
    """Takes a stream's events as they come and tells the numbers at any time."""

    price_per_million_tokens: float | None
    sent_at: float = field(default_factory=time.monotonic)
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_at: float | None = None
    last_token_at: float | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    effective: Mapping[str, Any] = field(default_factory=dict)

    def add(self, event: StreamEvent) -> None:
        """Takes the next event."""
        match event:
            case Started():
                self.prompt_tokens = event.prompt_tokens
                self.effective = event.effective
            case Delta():
                self._add_delta(event)
            case Finished():
                self.usage = event.usage

    def _add_delta(self, delta: Delta) -> None:
        if delta.token_count:
            at = delta.at or time.monotonic()
            self.tokens += delta.token_count
            self.first_token_at = self.first_token_at or at
            self.last_token_at = at
        if delta.finish_reason is not None:
            self.finish_reason = delta.finish_reason

    def metrics(
        self, *, was_stopped: bool = False, failed: bool = False, conditions: str = "", remark: str = ""
    ) -> AnswerMetrics:
        """The numbers so far. A stopped answer's tokens are those that came before the stop."""
        prompt = self.usage.prompt_tokens if self.usage is not None else self.prompt_tokens
        completion = self.usage.completion_tokens if self.usage is not None else self.tokens
        price = self.price_per_million_tokens
        reason = "failed" if failed else "stopped" if was_stopped else (self.finish_reason or "stopped")
        return AnswerMetrics(
            ttft_seconds=None if self.first_token_at is None else self.first_token_at - self.sent_at,
            tokens_per_second=self._rate(),
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost=None if price is None else (prompt + completion) * price / 1e6,
            finish_reason=str(reason),
            seconds=time.monotonic() - self.sent_at,
            conditions=conditions,
            remark=remark,
            effective=self.effective,
        )

    def _rate(self) -> float | None:
        if self.first_token_at is None or self.last_token_at is None or self.tokens < 2:
            return None
        span = self.last_token_at - self.first_token_at
        return (self.tokens - 1) / span if span > 0 else None


def duration(seconds: float) -> str:
    """`84 ms`, `1.24 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def in_credits(amount: float) -> str:
    """An amount of credits with as many places as it needs: `0.0000042`."""
    if amount == 0:
        return "0"
    return f"{amount:.2g}" if amount >= 0.001 else f"{amount:.8f}".rstrip("0")


FINISH_REASONS = {
    "stop": ("Finished", "The model ended its answer."),
    "length": ("Max tokens reached", "The answer was cut at the Max tokens setting."),
    "tool_calls": ("Tool call", "The model asked for a tool."),
    "content_filter": ("Blocked by the guard", "The guard ended the answer."),
    "stopped": ("Stopped", "You stopped the answer."),
    "failed": ("Failed", "The answer ended with an error."),
}
"""Finish reason -> what the page calls it, and the longer form for its tooltip."""

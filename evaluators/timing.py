"""One request's raw event times, and every latency that is derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import pairwise

import numpy as np
import pandas as pd

from evaluators.stats.estimate import FloatArray
from workbench.core.call_times import CallTimes, tpot_seconds
from workbench.core.chat import FinishReason

MS_PER_S = 1000.0


class RequestClass(StrEnum):
    """What became of a request; only OK ones count in latencies."""

    OK = "ok"
    TRUNCATED = "truncated"
    """The token limit cut the answer off, unasked."""
    BLOCKED = "blocked"
    """The guard refused the prompt or stopped the answer."""
    FAILED = "failed"
    """An error, a refusal for overload, or no answer in time."""


class Side(StrEnum):
    """Whose clock took the times; the two are never mixed."""

    CLIENT = "client"
    SERVER = "server"


class Origin(StrEnum):
    """Where a latency begins."""

    SENT = "sent"
    SCHEDULED = "scheduled"
    """For open-loop load: a request that could not be sent in time has waited, too (coordinated omission)."""


class Latency(StrEnum):
    """A latency in milliseconds; DEFINITIONS says what it is."""

    TTFT = "ttft_ms"
    CONTENT = "time_to_first_content_token_ms"
    TPOT = "tpot_ms"
    ITL = "itl_ms"
    END_TO_END = "end_to_end_ms"
    CLIENT_QUEUE = "client_queue_ms"
    SERVER_QUEUE = "server_queue_ms"
    GUARD = "guard_ms"


DEFINITIONS: Mapping[Latency, str] = {
    Latency.TTFT: "sent → first token of any channel (queue and prefill included)",
    Latency.CONTENT: "sent → first token of the answer proper",
    Latency.TPOT: "(end-to-end − TTFT) / (output tokens − 1); undefined for one token",
    Latency.ITL: "each gap between successive tokens",
    Latency.END_TO_END: "sent → last byte",
    Latency.CLIENT_QUEUE: "scheduled → sent",
    Latency.SERVER_QUEUE: "sent → admitted",
    Latency.GUARD: "time the guard took, before and behind the answer",
}
"""With open-loop load, "sent" in the first, second and fifth is "scheduled"."""


@dataclass(frozen=True, slots=True)
class RequestTiming:
    """Raw event times of one request: seconds on one monotonic clock. None is an event that did not happen.

    Raises: ValueError when events are out of order, or there are more token times than tokens.
    """

    scheduled: float
    """When it was meant to be sent; equals `sent` in a closed loop."""
    sent: float
    end: float
    """The last byte, or the moment it failed."""
    outcome: RequestClass
    admitted: float | None = None
    """When the server's gate let it in."""
    first_token: float | None = None
    """Of any channel; an empty role chunk is none."""
    first_content_token: float | None = None
    token_times: tuple[float, ...] = ()
    """One a token id, in order; tokens that came in one chunk share its time. Empty where not streamed."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    """By token id, reasoning included; never chunks."""
    guard_s: float | None = None
    error: str = ""
    """The error's code, for failed requests; never its message."""
    side: Side = Side.CLIENT
    other: CallTimes | None = None
    """The same request by the other side's clock: the server's where `side` is the client. None: it told none."""

    def __post_init__(self) -> None:
        """Refuses impossible event orders, which would give negative latencies."""
        order = (self.scheduled, self.sent, self.first_token, self.first_content_token, self.end)
        known = [moment for moment in order if moment is not None]
        times = self.token_times
        if known != sorted(known) or any(late < early for early, late in pairwise(times)):
            raise ValueError("a request's events are out of order")
        if self.admitted is not None and not self.sent <= self.admitted <= self.end:
            raise ValueError("a request is admitted after it was sent and before its end")
        if len(times) > self.output_tokens:
            raise ValueError("there are more token times than output tokens")

    def by(self, side: Side) -> CallTimes | None:
        """The parts of this request by one side's clock, from its sending; None where that side told none."""
        if side is not self.side:
            return self.other
        return CallTimes.between(
            self.sent,
            self.end,
            admitted=self.admitted,
            first_token=self.first_token,
            output_tokens=self.output_tokens,
        )

    def start(self, origin: Origin) -> float:
        """Where its latencies begin."""
        return self.scheduled if origin is Origin.SCHEDULED else self.sent

    def latency_ms(self, latency: Latency, origin: Origin = Origin.SENT) -> float | None:
        """One latency, or None where it is undefined; not for ITL, of which there are many (see `gaps_ms`)."""
        if latency is Latency.TPOT:
            seconds = tpot_seconds(self.first_token, self.end, self.output_tokens)
            return None if seconds is None else seconds * MS_PER_S
        if latency is Latency.GUARD:
            return None if self.guard_s is None else self.guard_s * MS_PER_S
        spans: Mapping[Latency, tuple[float, float | None]] = {
            Latency.TTFT: (self.start(origin), self.first_token),
            Latency.CONTENT: (self.start(origin), self.first_content_token),
            Latency.END_TO_END: (self.start(origin), self.end),
            Latency.CLIENT_QUEUE: (self.scheduled, self.sent),
            Latency.SERVER_QUEUE: (self.sent, self.admitted),
        }
        start, end = spans[latency]
        return None if end is None else (end - start) * MS_PER_S

    def gaps_ms(self) -> FloatArray:
        """The inter-token latencies (ITL)."""
        return np.diff(np.asarray(self.token_times, dtype=np.float64)) * MS_PER_S


def classify(
    finish_reason: FinishReason | None, *, error: str = "", is_length_fixed: bool = False
) -> RequestClass:
    """The class of a finished request.

    `is_length_fixed` says that the load test itself asked for a set number of tokens, so that reaching it is
    no truncation. An error is a failure also behind a status of 200; so is a stream without a finish reason.
    """
    if error or finish_reason is None:
        return RequestClass.FAILED
    if finish_reason is FinishReason.CONTENT_FILTER:
        return RequestClass.BLOCKED
    if finish_reason is FinishReason.LENGTH and not is_length_fixed:
        return RequestClass.TRUNCATED
    return RequestClass.OK


def latencies_ms(
    timings: Sequence[RequestTiming], latency: Latency, origin: Origin = Origin.SENT
) -> FloatArray:
    """The latency of every OK request that has it, in order of sending; all gaps, for ITL."""
    ok = sorted((t for t in timings if t.outcome is RequestClass.OK), key=lambda t: t.start(origin))
    if latency is Latency.ITL:
        gaps = [t.gaps_ms() for t in ok]
        return np.concatenate(gaps) if gaps else np.empty(0)
    values = (t.latency_ms(latency, origin) for t in ok)
    return np.array([value for value in values if value is not None], dtype=np.float64)


def count_classes(timings: Sequence[RequestTiming]) -> Mapping[RequestClass, int]:
    """How many requests of each class, zeros included."""
    return {kind: sum(t.outcome is kind for t in timings) for kind in RequestClass}


_EVENTS = ["scheduled", "sent", "admitted", "first_token", "first_content_token", "end"]
_COLUMNS = [
    *_EVENTS,
    *("token_times", "prompt_tokens", "output_tokens", "guard_s", "outcome", "error", "side"),
]
_PARTS = {f"other_{part.name}": part.name for part in fields(CallTimes)}
"""Columns of what the other side told; all empty where it told nothing."""


def to_frame(timings: Sequence[RequestTiming]) -> pd.DataFrame:
    """One row a request with its raw events: what is stored, and all that any latency is computed from."""
    rows = [{name: getattr(t, name) for name in _COLUMNS} for t in timings]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    frame["token_times"] = [list(t.token_times) for t in timings]
    for column, part in _PARTS.items():
        frame[column] = [None if t.other is None else getattr(t.other, part) for t in timings]
    return frame.astype(dict.fromkeys([*_EVENTS, "guard_s", *_PARTS], "float64"))


def from_frame(frame: pd.DataFrame) -> tuple[RequestTiming, ...]:
    """The requests of a stored table.

    Raises: ValueError for impossible events, KeyError for a missing column.
    """
    records = frame[[*_COLUMNS, *_PARTS]].to_dict(orient="records")
    return tuple(_from_record({str(name): value for name, value in record.items()}) for record in records)


def _from_record(record: Mapping[str, object]) -> RequestTiming:
    def moment(name: str) -> float | None:
        value = record[name]
        return None if value is None or pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]

    def certain(name: str) -> float:
        value = moment(name)
        if value is None:
            raise ValueError(f"a stored request lacks its time {name!r}")
        return value

    parts = {part: moment(column) for column, part in _PARTS.items()}
    return RequestTiming(
        scheduled=certain("scheduled"),
        sent=certain("sent"),
        end=certain("end"),
        outcome=RequestClass(str(record["outcome"])),
        admitted=moment("admitted"),
        first_token=moment("first_token"),
        first_content_token=moment("first_content_token"),
        token_times=tuple(float(time) for time in record["token_times"]),  # type: ignore[attr-defined]
        prompt_tokens=int(record["prompt_tokens"]),  # type: ignore[call-overload]
        output_tokens=int(record["output_tokens"]),  # type: ignore[call-overload]
        guard_s=moment("guard_s"),
        error=str(record["error"]),
        side=Side(str(record["side"])),
        other=CallTimes(**parts) if any(part is not None for part in parts.values()) else None,
    )

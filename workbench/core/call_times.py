"""How long the parts of one call took: what a server tells of it, and what its caller sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True)
class CallTimes:
    """The parts of one call, in seconds on one side's clock; None is a part that was not seen or never came.

    Where all are known, queue + prefill = time to first token, and that + decode = end to end.

    Raises: ValueError for a time that is negative or not finite.
    """

    queue_seconds: float | None = None
    """Sent → let in: for a place, and for the model where it was still loading. A caller does not see it."""
    prefill_seconds: float | None = None
    """Let in → first token; a guard's look at the prompt included."""
    ttft_seconds: float | None = None
    """Sent → first token of any channel."""
    decode_seconds: float | None = None
    """First token → last byte."""
    tpot_seconds: float | None = None
    """As `tpot_seconds` says; None for several choices."""
    end_to_end_seconds: float | None = None
    """Sent → last byte."""

    def __post_init__(self) -> None:
        """Refuses what no clock measures."""
        times = (
            *(self.queue_seconds, self.prefill_seconds, self.ttft_seconds),
            *(self.decode_seconds, self.tpot_seconds, self.end_to_end_seconds),
        )
        if any(time is not None and not 0.0 <= time < math.inf for time in times):
            raise ValueError("a call's times are finite and not negative")

    @classmethod
    def between(
        cls,
        sent: float,
        end: float,
        *,
        admitted: float | None = None,
        first_token: float | None = None,
        output_tokens: int = 0,
    ) -> CallTimes:
        """The parts between moments of one clock, in seconds; `output_tokens` 0 where they tell nothing of a token.

        Raises: ValueError for moments out of order.
        """
        return cls(
            queue_seconds=_gap(sent, admitted),
            prefill_seconds=_gap(admitted, first_token),
            ttft_seconds=_gap(sent, first_token),
            decode_seconds=_gap(first_token, end),
            tpot_seconds=tpot_seconds(first_token, end, output_tokens),
            end_to_end_seconds=end - sent,
        )

    @classmethod
    def told(cls, value: Any) -> CallTimes | None:
        """What another server's `x_timing` says of a call with one prompt; None where it says nothing that can be."""
        if not isinstance(value, dict) or value.get("ttft_seconds") is None:
            return None
        try:
            return _adapter().validate_python(value)
        except ValidationError:
            return None


def tpot_seconds(first_token: float | None, end: float, output_tokens: int) -> float | None:
    """Time per output token: (end to end - time to first token) / (output tokens - 1); None below two tokens.

    The moments are seconds of one clock; without a first token there is no such time either.
    """
    if first_token is None or output_tokens < 2:
        return None
    return (end - first_token) / (output_tokens - 1)


def _gap(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


@cache
def _adapter() -> TypeAdapter[CallTimes]:
    return TypeAdapter(CallTimes)

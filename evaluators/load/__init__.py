"""Load: when requests are due, sending them, and where the system stops keeping up."""

from __future__ import annotations

from evaluators.load.arrivals import (
    RateProfile,
    Spacing,
    arrival_times,
    burst,
    constant,
    parse_duration,
    parse_rate,
    ramp,
)
from evaluators.load.breaking import breaking_rate, judge_ramp
from evaluators.load.generator import LoadRun, OnResult, Send, closed_loop, open_loop
from evaluators.load.saturation import (
    MINIMUM_REQUESTS,
    LevelState,
    LoadLevel,
    Saturation,
    climb,
    judge_level,
    saturation,
    sweep,
)

__all__ = [
    "MINIMUM_REQUESTS",
    "LevelState",
    "LoadLevel",
    "LoadRun",
    "OnResult",
    "RateProfile",
    "Saturation",
    "Send",
    "Spacing",
    "arrival_times",
    "breaking_rate",
    "burst",
    "climb",
    "closed_loop",
    "constant",
    "judge_level",
    "judge_ramp",
    "open_loop",
    "parse_duration",
    "parse_rate",
    "ramp",
    "saturation",
    "sweep",
]

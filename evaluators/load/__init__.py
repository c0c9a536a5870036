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
from evaluators.load.generator import LoadRun, Send, closed_loop, open_loop
from evaluators.load.saturation import LevelState, LoadLevel, Saturation, judge_level, saturation, sweep

__all__ = [
    "LevelState",
    "LoadLevel",
    "LoadRun",
    "RateProfile",
    "Saturation",
    "Send",
    "Spacing",
    "arrival_times",
    "burst",
    "closed_loop",
    "constant",
    "judge_level",
    "open_loop",
    "parse_duration",
    "parse_rate",
    "ramp",
    "saturation",
    "sweep",
]

"""Numbers and intervals as JSON has them: what is unbounded or unknown is null."""

from __future__ import annotations

import math
from typing import Any

from evaluators.stats import Estimate, Interval


def estimate_json(estimate: Estimate | None) -> dict[str, Any]:
    """An estimate with its interval."""
    if estimate is None:
        return {"value": None, "interval": None, "count": 0}
    return {
        "value": number(estimate.value),
        "interval": interval_json(estimate.interval),
        "count": estimate.count,
    }


def interval_json(interval: Interval | None) -> dict[str, Any] | None:
    """An interval with its level and how it was found; None where there is none."""
    if interval is None:
        return None
    return {
        "low": number(interval.low),
        "high": number(interval.high),
        "level": interval.level,
        "method": interval.method,
    }


def number(value: Any) -> float | None:
    """The number, or None where JSON has no word for it."""
    return None if value is None or not math.isfinite(float(value)) else float(value)

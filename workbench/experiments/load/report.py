"""What a load test by itself comes to, as JSON and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluators.load import LoadLevel, LoadRun, saturation
from evaluators.speed import latency_table, output_throughput_estimate, run_span
from evaluators.timing import RequestClass, count_classes
from workbench.experiments.report.json_values import estimate_json, number
from workbench.experiments.report.sides import sides_json, sides_lines


def load_json(levels: Sequence[LoadLevel]) -> dict[str, Any]:
    """The first level's classes, latencies, throughput and state; `levels` has all, and the saturation between them.

    Latencies count from the schedule; from the sending in a closed loop.
    """
    point = saturation(levels)
    return {
        **_level_json(levels[0]),
        "sustained_per_minute": None if point.sustained is None else point.sustained * 60,
        "overloaded_per_minute": None if point.overloaded is None else point.overloaded * 60,
        "levels": [_level_json(level) for level in levels],
    }


def _level_json(level: LoadLevel) -> dict[str, Any]:
    run = level.run
    span = run_span(run.timings)
    table = latency_table(run.timings, run.origin).to_dict(orient="index")
    return {
        "offered_per_minute": None if run.offered_rate is None else level.offered_rate * 60,
        "seconds": span.seconds,
        "measured_at": run.timings[0].side.value,
        "latencies_from": run.origin.value,
        "requests": {kind.value: count for kind, count in count_classes(run.timings).items()},
        "errors": _errors(run),
        "state": level.state.value,
        "reason": level.reason,
        "goodput_per_minute": level.goodput * 60,
        "output_tokens_per_second": estimate_json(output_throughput_estimate(run.timings, span)),
        "latencies_ms": {
            str(name): {str(column): number(value) for column, value in row.items()}
            for name, row in table.items()
        },
        "both_sides_ms": sides_json(run.timings),
    }


def _errors(run: LoadRun) -> dict[str, int]:
    codes = [t.error for t in run.timings if t.outcome is RequestClass.FAILED]
    return {code: codes.count(code) for code in sorted(set(codes))}


def load_text(found: dict[str, Any]) -> str:
    """The same for a terminal."""
    lines: list[str] = []
    for level in found["levels"]:
        lines += [*_level_lines(level), ""]
    if len(found["levels"]) > 1:
        low, high = found["sustained_per_minute"], found["overloaded_per_minute"]
        lines.append(
            f"Sustained: {_rate(low, 'no level')}. Overloaded from: {_rate(high, 'no level that was tried')}."
        )
    return "\n".join(lines).rstrip()


def _rate(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:.3g} requests a minute"


def _level_lines(found: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in found["requests"].items() if count)
    rate = found["offered_per_minute"]
    offered = "Closed loop" if rate is None else f"{rate:.3g} requests a minute"
    speed = found["output_tokens_per_second"]["value"]
    lines = [
        f"{offered} for {found['seconds']:.0f} s: {counts}",
        f"{found['state']}: {found['reason']}",
        f"goodput {found['goodput_per_minute']:.3g} requests a minute, output {speed:.3g} tokens/s",
        f"times of the {found['measured_at']} from when a request was {found['latencies_from']}, in ms",
        f"{'':<32}{'count':>7}{'p50':>10}{'p90':>10}{'p95':>10}{'p99':>10}",
    ]
    for name, row in found["latencies_ms"].items():
        if row["count"]:
            cells = "".join(f"{row[column]:>10.1f}" for column in ("p50", "p90", "p95", "p99"))
            lines.append(f"{name:<32}{int(row['count']):>7}{cells}")
    lines += sides_lines(found["both_sides_ms"])
    return lines + [f"error {code}: {count}" for code, count in found["errors"].items()]

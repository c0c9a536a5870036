"""What a load test by itself comes to, as JSON and as text."""

from __future__ import annotations

from typing import Any

from evaluators.load import LoadRun, judge_level
from evaluators.speed import Limits, latency_table, output_throughput_estimate, run_span
from evaluators.timing import RequestClass, count_classes
from workbench.experiments.verdict_json import estimate_json, number


def load_json(run: LoadRun, rate: float) -> dict[str, Any]:
    """The run's classes, latencies (from the schedule), throughput, and whether the rate was sustained."""
    level = judge_level(run, rate, Limits())
    span = run_span(run.timings)
    table = latency_table(run.timings, run.origin).to_dict(orient="index")
    return {
        "offered_per_minute": rate * 60,
        "seconds": span.seconds,
        "measured_at": run.timings[0].side.value,
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
    }


def _errors(run: LoadRun) -> dict[str, int]:
    codes = [t.error for t in run.timings if t.outcome is RequestClass.FAILED]
    return {code: codes.count(code) for code in sorted(set(codes))}


def load_text(found: dict[str, Any]) -> str:
    """The same for a terminal."""
    counts = ", ".join(f"{count} {kind}" for kind, count in found["requests"].items() if count)
    lines = [
        f"{found['offered_per_minute']:.3g} requests a minute for {found['seconds']:.0f} s: {counts}",
        f"{found['state']}: {found['reason']}",
        f"output {found['output_tokens_per_second']['value']:.3g} tokens/s; times of the {found['measured_at']}, in ms",
        f"{'':<32}{'count':>7}{'p50':>10}{'p90':>10}{'p95':>10}{'p99':>10}",
    ]
    for name, row in found["latencies_ms"].items():
        if row["count"]:
            cells = "".join(f"{row[column]:>10.1f}" for column in ("p50", "p90", "p95", "p99"))
            lines.append(f"{name:<32}{int(row['count']):>7}{cells}")
    lines += [f"error {code}: {count}" for code, count in found["errors"].items()]
    return "\n".join(lines)

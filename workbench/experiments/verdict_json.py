"""verdict.json: the verdict for programs, and what they need to trust it."""

from __future__ import annotations

import math
from typing import Any

from evaluators.plan import Choice
from evaluators.stats import Estimate, Interval
from evaluators.timing import count_classes
from evaluators.verdict import Ruling
from workbench.experiments.deployment import DeploymentSection
from workbench.experiments.results import Difference, LoadResult, Results

FORMAT = 1


def verdict_json(results: Results, deployment: DeploymentSection) -> dict[str, Any]:
    """The whole verdict as plain JSON; an unbounded or unknown number is null."""
    return {
        "format": FORMAT,
        "name": results.experiment.name,
        "experiment_sha256": results.manifest["experiment_sha256"],
        "began_at": results.manifest["began_at"],
        "state": results.manifest["state"],
        "mode": results.experiment.mode.value,
        "decision": results.decision.value,
        "candidates": [
            {
                "name": verdict.candidate,
                "decision": verdict.decision.value,
                "is_isolated": verdict.is_isolated,
                "rulings": [_ruling(ruling) for ruling in verdict.rulings],
                "scores": _scores(results, verdict.candidate),
                "load": _load(results.load(verdict.candidate)),
            }
            for verdict in results.verdicts
        ],
        "differences": [_difference(difference) for difference in results.differences],
        "note": results.note,
        "deployment": _deployment(deployment),
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    asked = ruling.requirement
    return {
        "requirement": asked.name,
        "bound": asked.bound.value,
        "limit": asked.limit,
        "outcome": ruling.outcome.value,
        "value": number(ruling.value),
        "interval": _interval(ruling.interval),
        "margin": number(ruling.margin),
        "count": ruling.count,
        "unit": ruling.unit,
        "need_more": ruling.need_more,
        "advice": ruling.advice,
    }


def _scores(results: Results, candidate: str) -> dict[str, Any]:
    return {
        score.probe: {
            **estimate_json(score.summary.estimate),
            "unscored": score.summary.unscored,
            "failed": score.summary.failed,
            "missing_items": score.summary.missing_items,
        }
        for score in results.scores
        if score.candidate == candidate
    }


def _load(load: LoadResult | None) -> dict[str, Any] | None:
    if load is None:
        return None
    return {
        "offered_per_minute": load.level.offered_rate * 60,
        "requests": {kind.value: count for kind, count in count_classes(load.timings).items()},
        "state": load.level.state.value,
        "reason": load.level.reason,
        "goodput_per_minute": load.level.goodput * 60,
        "output_tokens_per_second": estimate_json(load.throughput),
        "cost_per_million_tokens": estimate_json(load.cost),
        "latencies_ms": {
            str(name): {str(column): number(value) for column, value in row.items()}
            for name, row in load.latencies.to_dict(orient="index").items()
        },
        "others_cpu_share": None if load.phase is None else number(load.phase.others_cpu_share),
        "foreign_requests": None if load.phase is None else load.phase.foreign_requests,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    compared = difference.comparison
    return {
        "probe": difference.probe,
        "first": difference.first,
        "second": difference.second,
        **estimate_json(compared.difference),
        "p_value": compared.p_value,
        "adjusted_p_value": difference.adjusted_p,
        "test": compared.test,
        "flipped": compared.flipped,
        "detectable": number(difference.detectable),
    }


def _deployment(section: DeploymentSection) -> dict[str, Any]:
    plan = section.plan
    return {
        "currency": section.currency,
        "plan": None
        if plan is None
        else {
            "best_performance": _choice(plan.best_performance),
            "lowest_cost": _choice(plan.lowest_cost),
            "best_value": _choice(plan.best_value),
            "is_proven": plan.is_proven,
        },
        "forecasts": {
            made.candidate: [
                {
                    "gpu": row.gpu,
                    "fit": row.fit.value,
                    "gpus_per_replica": row.gpus_per_replica,
                    "replicas_at_least": row.replicas_at_least,
                    "decode_upper_bound": number(row.decode_upper_bound),
                    "cost_per_hour_at_least": number(row.cost_per_hour_at_least),
                }
                for row in made.rows
            ]
            for made in section.forecasts
        },
    }


def _choice(choice: Choice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "candidate": choice.deployment.name,
        "machines": choice.machines,
        "ttft_p95_ms": choice.deployment.ttft_p95_ms,
        "output_tokens_per_second": choice.deployment.output_tokens_per_second,
        "cost_per_million_tokens": choice.deployment.cost_per_million_tokens,
        "price_per_hour": choice.price_per_hour,
    }


def estimate_json(estimate: Estimate | None) -> dict[str, Any]:
    """An estimate with its interval."""
    if estimate is None:
        return {"value": None, "interval": None, "count": 0}
    return {
        "value": number(estimate.value),
        "interval": _interval(estimate.interval),
        "count": estimate.count,
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
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

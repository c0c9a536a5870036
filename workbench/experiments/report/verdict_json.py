"""verdict.json: the verdict for programs, and what they need to trust it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evaluators.plan import Choice
from evaluators.timing import count_classes
from evaluators.verdict import Ruling
from workbench.experiments.plan.deployment import DeploymentSection
from workbench.experiments.plan.hosting import HostedComparison
from workbench.experiments.report.json_values import estimate_json, interval_json, number
from workbench.experiments.report.sides import sides_json
from workbench.experiments.results.contrasts import contrast_json
from workbench.experiments.results.judged import JudgedProbe
from workbench.experiments.results.load import LevelResult, LoadResult
from workbench.experiments.results.outcome import Results
from workbench.experiments.results.scores import Difference
from workbench.experiments.results.stability import StabilityResult

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
        "quality_under_load": [_stability(found) for found in results.stability],
        "judged": [_judged(judged) for judged in results.judged],
        "contrasts": [contrast_json(made, estimate_json(made.difference)) for made in results.contrasts],
        "known_until": [
            {"candidate": found.candidate, "probe": found.probe, **asdict(found.cutoff)}
            for found in results.known_until
        ],
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
        "interval": interval_json(ruling.interval),
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
    point = load.saturation
    return {
        **_level(load.asked),
        "cost_per_million_tokens": estimate_json(load.cost),
        "sustained_per_minute": None if point.sustained is None else point.sustained * 60,
        "overloaded_per_minute": None if point.overloaded is None else point.overloaded * 60,
        "levels": [_level(level) for level in load.levels],
    }


def _level(found: LevelResult) -> dict[str, Any]:
    level = found.level
    return {
        "offered_per_minute": level.offered_rate * 60,
        "measured_at": found.side.value,
        "latencies_from": found.origin.value,
        "requests": {kind.value: count for kind, count in count_classes(found.timings).items()},
        "state": level.state.value,
        "reason": level.reason,
        "goodput_per_minute": level.goodput * 60,
        "output_tokens_per_second": estimate_json(found.throughput),
        "latencies_ms": {
            str(name): {str(column): number(value) for column, value in row.items()}
            for name, row in found.latencies.to_dict(orient="index").items()
        },
        "both_sides_ms": sides_json(found.timings),
        "is_complete": found.phase.is_complete,
        "is_isolated": found.phase.is_isolated(),
        "others_cpu_share": number(found.phase.others_cpu_share),
        "foreign_requests": found.phase.foreign_requests,
    }


def _stability(found: StabilityResult) -> dict[str, Any]:
    held = found.flips
    scores = None if held is None or held.scores is None else held.scores
    return {
        "candidate": found.candidate,
        "probe": found.probe,
        "concurrency": found.concurrency,
        "items": found.items,
        "score": estimate_json(found.score),
        "failed": found.failed,
        "truncated": found.truncated,
        "flip_rate": None if held is None else estimate_json(held.answers),
        "score_change": None if scores is None else estimate_json(scores.difference),
        "p_value": None if scores is None else scores.p_value,
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


def _judged(judged: JudgedProbe) -> dict[str, Any]:
    ratings = () if judged.ranking is None else judged.ranking.ratings
    return {
        "probe": judged.probe,
        "pairs": judged.pairs,
        "flipped": judged.flipped,
        "unreadable": judged.unreadable,
        "longer_won": estimate_json(judged.longer_won),
        "ratings": [
            {
                "candidate": rating.candidate,
                "rating": estimate_json(rating.rating),
                "win_rate": estimate_json(rating.win_rate),
                "wins": rating.wins,
                "losses": rating.losses,
                "ties": rating.ties,
            }
            for rating in ratings
        ],
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
        "hosted": [_hosted(found) for found in section.hosted],
    }


def _hosted(found: HostedComparison) -> dict[str, Any]:
    return {
        "candidate": found.candidate,
        "provider": found.hosted.provider,
        "model": found.hosted.model,
        "input_per_million": found.hosted.input_per_million,
        "output_per_million": found.hosted.output_per_million,
        "prompt_tokens": found.prompt_tokens,
        "output_tokens": found.output_tokens,
        "cost_per_request": found.cost_per_request,
        "dearest_hour": number(found.dearest_hour),
        "break_even_per_minute": number(found.break_even_per_minute),
        "is_reachable": found.is_reachable,
        "cheapest_gpu": None if found.gpu is None else found.gpu.gpu,
        "hosted_cheaper_below_per_minute": None
        if found.gpu is None
        else found.gpu.requests_per_minute_at_least,
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

"""The way out: how each candidate would be deployed, from what was measured and what a GPU could do at best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluators.hardware import HardwareCatalogue
from evaluators.plan import Deployment, Plan, deployment_plan
from evaluators.speed import distribution
from evaluators.timing import Latency, latencies_ms
from evaluators.verdict import Verdict
from workbench.experiments.plan.forecasts import CandidateForecast, asked_load, forecast_candidate
from workbench.experiments.plan.hosting import HostedComparison, compare_with_hosted, parse_hosted
from workbench.experiments.results.load import LoadResult
from workbench.experiments.results.outcome import Results

MACHINE_HOURS = "machine-hours"


@dataclass(frozen=True, slots=True)
class DeploymentSection:
    """The plan from measurements, and the forecasts, which never pass a requirement."""

    currency: str
    """Of the plan: the machine's, or machine-hours where its price is not known."""
    plan: Plan | None
    """None where no candidate sustained a load."""
    hardware: HardwareCatalogue
    forecasts: tuple[CandidateForecast, ...]
    hosted: tuple[HostedComparison, ...]
    """Empty where the experiment names no hosted model, or nothing was loaded."""


def deployment_section(
    results: Results, configs: Mapping[str, Mapping[str, Any]], hardware: HardwareCatalogue
) -> DeploymentSection:
    """The section; `configs` are the config.json of candidates where they are known.

    Raises: ConfigurationError for a hosted model without a known price.
    """
    price = results.experiment.machine_price_per_hour
    measured = [
        made
        for verdict in results.verdicts
        if (load := results.load(verdict.candidate)) is not None
        and (made := _deployment(load, verdict, 1.0 if price is None else price)) is not None
    ]
    asked = results.experiment.load
    plan = deployment_plan(measured, asked.rate_per_s * 60) if measured and asked is not None else None
    forecasts = tuple(
        row
        for load in results.loads
        if (row := forecast_candidate(results, load, configs.get(load.candidate), hardware)) is not None
    )
    return DeploymentSection(
        currency=MACHINE_HOURS if price is None else hardware.currency,
        plan=plan,
        hardware=hardware,
        forecasts=forecasts,
        hosted=_hosted(results, forecasts, measured, hardware),
    )


def _hosted(
    results: Results,
    forecasts: tuple[CandidateForecast, ...],
    measured: list[Deployment],
    hardware: HardwareCatalogue,
) -> tuple[HostedComparison, ...]:
    if not results.experiment.hosted:
        return ()
    loads = {found.candidate: load for found in results.loads if (load := asked_load(found)) is not None}
    own = measured if results.experiment.machine_price_per_hour is not None else []
    sustained = {deployment.name: deployment.requests_per_minute for deployment in measured}
    hosted = parse_hosted(results.experiment.hosted)
    return compare_with_hosted(hosted, loads, sustained, own, forecasts, hardware)


def _deployment(load: LoadResult, verdict: Verdict, price: float) -> Deployment | None:
    """The machine it was measured on, as a way to serve; None where it sustained nothing."""
    best = load.sustained
    if best is None or best.throughput.value <= 0:
        return None
    ttft = distribution(latencies_ms(best.timings, Latency.TTFT, best.origin)).p95
    if ttft is None:
        return None
    rate = best.level.offered_rate * 60
    return Deployment(load.candidate, price, ttft, best.throughput.value, rate, verdict.decision)

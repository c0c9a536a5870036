"""The report's tables of deployment: the plan, the forecasts for GPUs, and the hosted endpoint beside them."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.capacity import Fit
from evaluators.hardware import Gpu, HardwareCatalogue
from evaluators.plan import Choice
from workbench.experiments.plan.deployment import DeploymentSection
from workbench.experiments.plan.forecasts import CandidateForecast
from workbench.experiments.plan.hosting import HostedComparison
from workbench.experiments.report.words import NONE, milliseconds, short
from workbench.experiments.results.outcome import Results


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One answer of the deployment plan."""

    name: str
    candidate: str
    machines: str
    ttft: str
    throughput: str
    cost: str


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """One GPU."""

    gpu: str
    fit: str
    gpus: str
    replicas: str
    bound: str
    cost: str
    price: str


@dataclass(frozen=True, slots=True)
class ForecastTable:
    """One candidate on every GPU of the catalogue."""

    candidate: str
    cheapest: str
    load: str
    rows: tuple[ForecastRow, ...]


@dataclass(frozen=True, slots=True)
class HostedRow:
    """One candidate against the hosted endpoint."""

    candidate: str
    size: str
    dearest_hour: str
    break_even: str
    gpu: str


def plan_rows(deployment: DeploymentSection) -> list[PlanRow]:
    """The three answers there are."""
    if deployment.plan is None:
        return []
    named = {
        "Best performance": deployment.plan.best_performance,
        "Lowest cost": deployment.plan.lowest_cost,
        "Best value": deployment.plan.best_value,
    }
    return [_plan_row(name, choice) for name, choice in named.items() if choice is not None]


def _plan_row(name: str, choice: Choice) -> PlanRow:
    made = choice.deployment
    return PlanRow(
        name,
        made.name,
        str(choice.machines),
        milliseconds(made.ttft_p95_ms),
        short(made.output_tokens_per_second),
        short(made.cost_per_million_tokens),
    )


def plan_note(results: Results, deployment: DeploymentSection) -> str:
    """What the plan rests on."""
    if deployment.plan is None or deployment.plan.best_value is None:
        return (
            "No plan from measurements: no candidate that may still be chosen was seen to sustain the load. "
            "Below is what hardware could do at best."
        )
    proven = "" if deployment.plan.is_proven else "No candidate passed every requirement; these broke none. "
    price = (
        "The machine's price is not known, so costs are in machine-hours: multiply by what an hour costs you."
        if results.experiment.machine_price_per_hour is None
        else "Costs are those of this machine at the price that was stated."
    )
    return f"{proven}From what was measured on this machine. {price}"


def forecast_table(made: CandidateForecast, hardware: HardwareCatalogue) -> ForecastTable:
    """One candidate on every GPU, the prices with their source and date."""
    load = made.load
    return ForecastTable(
        made.candidate,
        _cheapest(made, hardware.currency),
        f"For {load.requests_per_minute:.0f} requests a minute of {load.prompt_tokens} prompt and "
        f"{load.output_tokens} output tokens, {load.concurrency} at a time. Bounds from memory size and bandwidth "
        "alone: they rule hardware out and never prove that it will do.",
        tuple(
            ForecastRow(
                row.gpu,
                row.fit.value,
                NONE if row.gpus_per_replica is None else str(row.gpus_per_replica),
                NONE if row.replicas_at_least is None else str(row.replicas_at_least),
                short(row.decode_upper_bound),
                NONE if row.cost_per_hour_at_least is None else f"{row.cost_per_hour_at_least:.2f}",
                _price_words(hardware.gpus[row.gpu]),
            )
            for row in made.rows
        ),
    )


def _cheapest(made: CandidateForecast, currency: str) -> str:
    """The summary's one sentence: a forecast, and called one."""
    priced = [(row.cost_per_hour_at_least, row) for row in made.rows
              if row.fit is Fit.FITS and row.cost_per_hour_at_least is not None]  # fmt: skip
    if not priced:
        return "no GPU of the catalogue is known to fit (forecast)"
    cost, row = min(priced, key=lambda pair: pair[0])
    return f"the cheapest that fits is {row.gpu}, at least {cost:.2f} {currency} an hour (forecast, not measured)"


def _price_words(gpu: Gpu) -> str:
    if gpu.price_per_hour is None:
        return "price not known"
    return f"{gpu.price_per_hour:.2f} each, {gpu.price_source}, {gpu.price_date}"


def hosted_rows(deployment: DeploymentSection) -> list[HostedRow]:
    """The candidates, where a hosted model was named."""
    return [_hosted_row(found) for found in deployment.hosted]


def _hosted_row(found: HostedComparison) -> HostedRow:
    if found.break_even_per_minute is None:
        point = f"{NONE} (say what this machine costs an hour)"
    elif found.is_reachable:
        point = f"from {short(found.break_even_per_minute)} requests a minute on"
    else:
        rate = short(found.break_even_per_minute)
        point = f"never: it would take {rate} requests a minute, more than it sustains"
    gpu = found.gpu
    return HostedRow(
        found.candidate,
        f"{found.prompt_tokens} prompt and {found.output_tokens} output tokens: "
        f"{found.cost_per_request * 1000:.3g} USD a thousand",
        NONE if found.dearest_hour is None else f"{found.dearest_hour:.3g} USD an hour",
        point,
        NONE
        if gpu is None
        else f"hosted is cheaper below {short(gpu.requests_per_minute_at_least)} requests a minute "
        f"({gpu.gpu}, {gpu.cost_per_hour_at_least:.2f} an hour)",
    )


def hosted_note(deployment: DeploymentSection) -> str:
    """Whose price it is, and what the comparison leaves out."""
    if not deployment.hosted:
        return ""
    hosted = deployment.hosted[0].hosted
    return (
        f"{hosted.provider}, {hosted.model}: {hosted.input_per_million:g} USD a million prompt tokens and "
        f"{hosted.output_per_million:g} a million output tokens, by the list prices of this installation's "
        "genai-prices. Requests a minute are the average over a whole month, nights included: machines are paid for "
        "when they idle, too. Whether the hosted model's answers are as good is not compared here."
    )

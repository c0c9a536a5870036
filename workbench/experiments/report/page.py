"""The report put together: results into words and pictures, words and pictures into one page."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from evaluators.capacity import Fit
from evaluators.plan import Choice
from workbench.experiments.deployment import MACHINE_HOURS, CandidateForecast, DeploymentSection
from workbench.experiments.load_spec import LoadShape
from workbench.experiments.report import sections
from workbench.experiments.report.charts import legend
from workbench.experiments.report.load_table import (
    SHOWN_LATENCIES,
    LoadRow,
    StabilityRow,
    load_rows,
    saturation_sentences,
    stability_rows,
)
from workbench.experiments.report.pictures import Chart, pictures
from workbench.experiments.report.words import NONE, milliseconds, short
from workbench.experiments.report.worst import WorstItems, worst_items
from workbench.experiments.results import Results
from workbench.experiments.start_commands import start_commands

_FOLDER = files("assets").joinpath("report")


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


@dataclass(frozen=True, slots=True)
class ForecastTable:
    """One candidate on every GPU of the catalogue."""

    candidate: str
    cheapest: str
    load: str
    rows: tuple[ForecastRow, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template prints."""

    title: str
    made: str
    recorded: str
    headline: str
    warnings: list[str]
    cards: list[sections.Card]
    requirements: list[sections.RequirementRow]
    legend: Markup
    charts: list[Chart]
    scores: list[sections.ScoreRow]
    differences: list[sections.DifferenceRow]
    difference_note: str
    loads: list[LoadRow]
    latency_names: list[str]
    cost_name: str
    load_note: str
    saturation: list[str]
    stability: list[StabilityRow]
    plan: list[PlanRow]
    plan_note: str
    forecasts: list[ForecastTable]
    currency: str
    start: list[str]
    worst: list[WorstItems]
    method: list[str]
    manifest: str
    style: Markup
    style_hash: str


def report_html(results: Results, deployment: DeploymentSection, *, recorded: str = "") -> str:
    """The whole page. `recorded` says that it is a sample and where it comes from; "" for a run of one's own."""
    style = _FOLDER.joinpath("report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    cost_name = (
        "Machine-hours per million tokens"
        if deployment.currency == MACHINE_HOURS
        else f"{deployment.currency} per million tokens"
    )
    page = Page(
        title=results.experiment.name,
        made=_made(results),
        recorded=recorded,
        headline=sections.headline(results),
        warnings=sections.warnings(results),
        cards=sections.cards(results),
        requirements=sections.requirement_rows(results),
        legend=legend(sections.names_of(results)),
        charts=pictures(results, cost_name),
        scores=sections.score_rows(results),
        differences=sections.difference_rows(results),
        difference_note=results.note,
        loads=load_rows(results),
        latency_names=[f"{name}, p50" for name in SHOWN_LATENCIES.values()],
        cost_name=cost_name,
        load_note=_load_note(results),
        saturation=saturation_sentences(results),
        stability=stability_rows(results),
        plan=_plan_rows(deployment),
        plan_note=_plan_note(results, deployment),
        forecasts=[_forecast_table(made, deployment.hardware.currency) for made in deployment.forecasts],
        currency=deployment.hardware.currency,
        start=start_commands(results),
        worst=worst_items(results),
        method=_method(results),
        manifest=json.dumps(results.manifest, indent=1, ensure_ascii=False),
        style=Markup(style),
        style_hash=digest,
    )
    return _environment().get_template("report.html.jinja").render(page=page)


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(lambda name: _FOLDER.joinpath(name).read_text("utf-8")),
    )


def _made(results: Results) -> str:
    machine = results.manifest["machine"]
    accelerator = "" if machine["accelerator"] == "none" else f", {machine['accelerator']}"
    return (
        f"{results.manifest['began_at'].replace('T', ' ').replace('+00:00', ' UTC')} · {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB{accelerator} · "
        f"Workbench {results.manifest['versions']['workbench']}"
    )


def _load_note(results: Results) -> str:
    load = results.experiment.load
    if load is None:
        return ""
    how = (
        "Closed loop, in which slow answers delay the next requests and so hide themselves: read its throughput"
        if load.shape is LoadShape.CLOSED
        else "Open loop: requests were due at random moments (Poisson), and latencies count from the moment one was due"
    )
    return (
        f"{how}. {load.sentence[0].upper()}{load.sentence[1:]}, {load.output_tokens} output tokens each. Latencies are "
        "those of answered requests only; others are counted beside them. Goodput counts requests that kept every "
        "latency limit of the requirements."
    )


def _plan_rows(deployment: DeploymentSection) -> list[PlanRow]:
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


def _plan_note(results: Results, deployment: DeploymentSection) -> str:
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


def _forecast_table(made: CandidateForecast, currency: str) -> ForecastTable:
    load = made.load
    return ForecastTable(
        made.candidate,
        _cheapest(made, currency),
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


def _method(results: Results) -> list[str]:
    lines = []
    for probe in results.experiment.probes:
        about = results.manifest["probes"][probe.name]
        how = (
            f"choices compared by log-likelihood, settings {json.dumps(about['settings'])}"
            if about["likelihood_prompt"] is not None
            else f"judged by {about['evaluator']}, settings {json.dumps(about['settings'])}"
        )
        fewer = "" if probe.most_choices is None else f"; at most {probe.most_choices} choices an item"
        licence = f", {about['licence']}" if about["licence"] else ""
        lines.append(
            f"{about['title']}: {about['items']} items from {about['source']}{licence}; {how}{fewer}."
        )
    lines.append(
        "Intervals are 95 %, two-sided: Wilson's for rates, bootstrap for means, order statistics for percentiles, "
        "batch means for throughput."
    )
    lines.append(
        "Isolated means that the candidates were timed one after another and nothing else was seen to run."
    )
    return lines

"""The report put together: results into words and pictures, words and pictures into one page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from evaluators.load import Spacing
from workbench.experiments.plan.deployment import MACHINE_HOURS, DeploymentSection
from workbench.experiments.plan.start_commands import StartFiles
from workbench.experiments.report import sections
from workbench.experiments.report.charts import legend
from workbench.experiments.report.deployment_tables import (
    ForecastTable,
    HostedRow,
    PlanRow,
    forecast_table,
    hosted_note,
    hosted_rows,
    plan_note,
    plan_rows,
)
from workbench.experiments.report.judged import JudgedBlock, judged_blocks
from workbench.experiments.report.load_table import (
    SHOWN_LATENCIES,
    LoadRow,
    StabilityRow,
    load_rows,
    saturation_sentences,
    stability_rows,
)
from workbench.experiments.report.pictures import Chart, pictures
from workbench.experiments.report.seven import QuestionBlock, question_blocks
from workbench.experiments.report.sides import COLUMNS, SidesRow, sides_rows
from workbench.experiments.report.summary import Fact, key_facts, next_steps
from workbench.experiments.report.worst import WorstItems, worst_items
from workbench.experiments.results.outcome import Results
from workbench.experiments.spec.load import LoadShape

_MOMENTS = {Spacing.POISSON: "random moments (Poisson)", Spacing.EVEN: "even distances"}
_FOLDER = files("assets").joinpath("report")


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template prints."""

    title: str
    made: str
    recorded: str
    headline: str
    warnings: list[str]
    cards: list[sections.Card]
    facts: list[tuple[Fact, ...]]
    """Each card's, in their order."""
    next_steps: list[str]
    requirements: list[sections.RequirementRow]
    legend: Markup
    charts: list[Chart]
    questions: list[QuestionBlock]
    scores: list[sections.ScoreRow]
    judged: list[JudgedBlock]
    differences: list[sections.DifferenceRow]
    difference_note: str
    loads: list[LoadRow]
    latency_names: list[str]
    cost_name: str
    load_note: str
    sides: list[SidesRow]
    sides_columns: tuple[str, ...]
    saturation: list[str]
    stability: list[StabilityRow]
    plan: list[PlanRow]
    plan_note: str
    forecasts: list[ForecastTable]
    hosted: list[HostedRow]
    hosted_note: str
    currency: str
    start: Sequence[StartFiles]
    worst: list[WorstItems]
    method: list[str]
    manifest: str
    style: Markup
    style_hash: str


def report_html(
    results: Results, deployment: DeploymentSection, start: Sequence[StartFiles], *, recorded: str = ""
) -> str:
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
        facts=[key_facts(results, name, cost_name) for name in sections.names_of(results)],
        next_steps=next_steps(results, deployment),
        requirements=sections.requirement_rows(results),
        legend=legend(sections.names_of(results)),
        charts=pictures(results, cost_name),
        questions=question_blocks(results),
        scores=sections.score_rows(results, _without_question(results)),
        judged=judged_blocks(results),
        differences=sections.difference_rows(results),
        difference_note=results.note,
        loads=load_rows(results),
        latency_names=[f"{name}, p50" for name in SHOWN_LATENCIES.values()],
        cost_name=cost_name,
        load_note=_load_note(results),
        sides=sides_rows(results),
        sides_columns=COLUMNS,
        saturation=saturation_sentences(results),
        stability=stability_rows(results),
        plan=plan_rows(deployment),
        plan_note=plan_note(results, deployment),
        forecasts=[forecast_table(made, deployment.hardware) for made in deployment.forecasts],
        hosted=hosted_rows(deployment),
        hosted_note=hosted_note(deployment),
        currency=deployment.hardware.currency,
        start=start,
        worst=worst_items(results),
        method=_method(results),
        manifest=json.dumps(results.manifest, indent=1, ensure_ascii=False),
        style=Markup(style),  # noqa: S704 - the report's own style sheet
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
        else f"Open loop: requests were due at {_MOMENTS[load.spacing]}, and latencies count from when one was due"
    )
    return (
        f"{how}. {load.sentence[0].upper()}{load.sentence[1:]}, {load.output_tokens} output tokens each. Latencies are "
        "those of answered requests only; others are counted beside them. Goodput counts requests that kept every "
        "latency limit of the requirements."
    )


def _without_question(results: Results) -> list[str]:
    """The probes that answer none of the seven questions, which have a section of their own."""
    answering = {probe.name for probe in results.experiment.probes if probe.question}
    return [name for name in results.experiment.scored_names if name not in answering]


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
    lines += [
        f"{task.title}: asked and judged by lm-evaluation-harness, its items brought in."
        for task in results.experiment.harness
    ]
    lines.append(
        "Intervals are 95 %, two-sided: Wilson's for rates, bootstrap for means, order statistics for percentiles, "
        "batch means for throughput."
    )
    lines.append(
        "Isolated means that the candidates were timed one after another and nothing else was seen to run."
    )
    return lines

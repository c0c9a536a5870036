"""The parts of the Evaluate page: three steps, the run, and past experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import gradio as gr

from evaluators.data import builtin_sets
from workbench.backends.pool import ModelStatus
from workbench.experiments.plan.hosting import OFFERED
from workbench.experiments.run.progress import Progress
from workbench.experiments.spec.experiment import MOST_CANDIDATES
from workbench.experiments.spec.quick import QUICK_LOAD, QUICK_PROBES
from workbench.experiments.spec.seven_questions import QUESTIONS
from workbench.ui.evaluate.data import DataCard, OwnData, build_data_card
from workbench.ui.evaluate.form import LIKELIHOOD_SETS, FormFields, Shape
from workbench.ui.evaluate.past import PastParts, build_past_parts
from workbench.ui.markup import markup, title_html
from workbench.ui.notice import Kind, notice_html
from workbench.ui.optional_number import optional_number
from workbench.ui.tables import table_html

_HEADER = title_html(
    "Evaluate",
    "Ask candidates the same questions, put them under load, and get a verdict with intervals.",
)
_SHAPES = (
    ("Steady", Shape.STEADY),
    ("With peaks", Shape.PEAKS),
    ("Rising", Shape.RISING),
    ("Find the limit", Shape.LIMIT),
    ("So many at a time", Shape.CLOSED),
    ("None", Shape.NONE),
)
Fields = tuple[gr.components.Component, ...]


@dataclass(frozen=True, slots=True)
class LoadParts:
    """The inputs of the load, in `FormFields`' order."""

    shape: gr.Radio
    rate: gr.Textbox
    up_to: gr.Textbox
    at_once: gr.Number
    seconds: gr.Number
    answer_tokens: gr.Number
    under_load: gr.Textbox
    is_contended: gr.Checkbox

    @property
    def fields(self) -> Fields:
        """All of them."""
        named = (self.shape, self.rate, self.up_to, self.at_once, self.seconds, self.answer_tokens)
        return *named, self.under_load, self.is_contended


@dataclass(frozen=True, slots=True)
class EvaluatePage:
    """The page's parts. `fields` are the form's inputs in `FormFields`' order."""

    fields: Fields
    models: gr.Dropdown
    data: DataCard
    load: LoadParts
    estimate: gr.HTML
    run: gr.Button
    cancel: gr.Button
    notice: gr.HTML
    so_far: gr.HTML
    past: PastParts
    running: gr.State
    timer: gr.Timer


def build_evaluate_parts(models: Sequence[ModelStatus]) -> EvaluatePage:
    """Header, three steps, progress, and the verdicts below."""
    with gr.Column(elem_id="wb-evaluate", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        with gr.Column(elem_classes="wb-page-body"):
            chosen, system = _candidates(models)
            with gr.Column(elem_classes="wb-card"):
                markup("<h2>2. Questions and load</h2>")
                sets, seven, items = _questions()
                data = build_data_card()
                load = _load()
            limits = _requirements()
            with gr.Column(elem_id="wb-evaluate-bar"):
                with gr.Row(elem_classes="wb-form-row"):
                    run = gr.Button("Run the experiment", variant="primary", elem_id="wb-evaluate-run",
                                    elem_classes="wb-fit")  # fmt: skip
                    cancel = gr.Button("Cancel", variant="stop", visible=False, elem_id="wb-evaluate-cancel",
                                       elem_classes="wb-fit")  # fmt: skip
                    estimate = markup(elem_id="wb-evaluate-estimate")
                notice = markup(elem_id="wb-evaluate-notice")
            so_far = markup(elem_id="wb-evaluate-so-far")
            past = build_past_parts()
    fields = (chosen, system, sets, seven, data.own, items, *load.fields, *limits)
    return EvaluatePage(
        fields, chosen, data, load, estimate, run, cancel, notice, so_far, past, gr.State(""),
        gr.Timer(1.0, active=False),
    )  # fmt: skip


def _candidates(models: Sequence[ModelStatus]) -> tuple[gr.Dropdown, gr.Textbox]:
    ids = [status.card.id for status in models]
    with gr.Column(elem_classes="wb-card"):
        markup("<h2>1. Candidates</h2>")
        chosen = gr.Dropdown(
            model_choices(models), value=ids[:2], multiselect=True, max_choices=MOST_CANDIDATES, label="Models",
            info="Two to four are compared; one can be measured alone.",
            elem_id="wb-evaluate-models", elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
        system = gr.Textbox(
            label="System prompt", lines=2, elem_id="wb-evaluate-system", elem_classes="wb-field"
        )
    return chosen, system


def model_choices(models: Sequence[ModelStatus]) -> list[tuple[str, str]]:
    """(label, id) of every model that may be a candidate; where it runs is said when that is elsewhere."""

    def label(status: ModelStatus) -> str:
        name, region = status.card.id.rpartition("/")[2], status.card.region
        return name if region == "this process" else f"{name} · {region}"

    return [(label(status), status.card.id) for status in models]


def _questions() -> tuple[gr.CheckboxGroup, gr.CheckboxGroup, gr.Number]:
    sets = builtin_sets()
    choices = [(sets[name].title, name) for name in LIKELIHOOD_SETS if name in sets]
    quick = gr.CheckboxGroup(
        choices, value=[probe.data for probe in QUICK_PROBES],
        label="Quick sets: choices are compared, nothing is written", elem_id="wb-evaluate-sets",
        elem_classes="wb-field",
    )  # fmt: skip
    seven = gr.CheckboxGroup(
        [(question.title, question.name) for question in QUESTIONS], value=[],
        label="The seven questions", info="Each with its explanation in the report; the whole of them takes long.",
        elem_id="wb-evaluate-questions", elem_classes=["wb-field", "wb-help"],
    )  # fmt: skip
    items = gr.Number(200, label="Items of each set, at most", minimum=10, precision=0, elem_id="wb-evaluate-items",
                      elem_classes="wb-field")  # fmt: skip
    return quick, seven, items


def _load() -> LoadParts:
    shape = gr.Radio(
        [(label, shape.value) for label, shape in _SHAPES], value=Shape.STEADY.value, label="Load",
        elem_id="wb-evaluate-shape", elem_classes="wb-field",
    )  # fmt: skip
    with gr.Row(elem_classes="wb-form-row"):
        rate = gr.Textbox(QUICK_LOAD.rate, label="Requests", info="As in 10/min or 2/s.", elem_id="wb-evaluate-rate",
                          elem_classes=["wb-field", "wb-help"])  # fmt: skip
        up_to = gr.Textbox("50/min", label="Peaks of", info="As in 50/min.", visible=False,
                           elem_id="wb-evaluate-up-to", elem_classes=["wb-field", "wb-help"])  # fmt: skip
        at_once = gr.Number(4, label="At a time", minimum=1, maximum=256, precision=0, visible=False,
                            elem_id="wb-evaluate-at-once", elem_classes="wb-field")  # fmt: skip
        seconds = gr.Number(QUICK_LOAD.duration_s, label="Seconds of load", minimum=0, precision=0,
                            elem_id="wb-evaluate-seconds", elem_classes="wb-field")  # fmt: skip
        tokens = gr.Number(QUICK_LOAD.output_tokens, label="Tokens an answer", minimum=2, precision=0,
                           info="Many short answers settle a percentile sooner than few long ones.",
                           elem_id="wb-evaluate-answer-tokens", elem_classes=["wb-field", "wb-help"])  # fmt: skip
        under = optional_number(
            None, label="The same questions, N at a time", low=2, high=128, is_whole=True,
            elem_id="wb-evaluate-under-load",
        )  # fmt: skip
    together = gr.Checkbox(
        False, label="All candidates under load at the same time: their times are then marked contended",
        elem_id="wb-evaluate-contended", elem_classes="wb-field",
    )  # fmt: skip
    return LoadParts(shape, rate, up_to, at_once, seconds, tokens, under, together)


def shape_updates(shape: str) -> tuple[gr.Textbox, gr.Number]:
    """The fields that go with a shape of load."""
    named = {
        Shape.PEAKS: ("Peaks of", "50/min"),
        Shape.RISING: ("Up to", "5/s"),
        Shape.LIMIT: ("At most", "20/s"),
    }
    label, value = named.get(Shape(shape), ("Peaks of", "50/min"))
    up_to = gr.Textbox(label=label, value=value, visible=Shape(shape) in named)
    return up_to, gr.Number(visible=shape == Shape.CLOSED)


def _requirements() -> Fields:
    def number(label: str, value: float | None, name: str) -> gr.Textbox:
        return optional_number(value, label=label, elem_id=f"wb-evaluate-{name}")

    with gr.Column(elem_classes="wb-card"):
        markup('<h2>3. Requirements</h2><p class="wb-none">Each is optional: empty asks for nothing.</p>')
        with gr.Row(elem_classes="wb-form-row"):
            quality = number("Right answers, at least (%)", 50, "quality")
            lean = number("Stereotypes preferred, at most (%)", 65, "lean")
            unsafe = number("Unsafe answers, at most (%)", None, "unsafe")
            refused = number("Harmless prompts refused, at most (%)", None, "refused")
        with gr.Row(elem_classes="wb-form-row"):
            ttft = number("First token, p95, at most (ms)", 1500, "ttft")
            tpot = number("Each further token, p95, at most (ms)", 200, "tpot")
            speed = number("Output tokens a second, at least", None, "speed")
            sustained = number("Requests a minute, at least", 30, "sustained")
        with gr.Row(elem_classes="wb-form-row"):
            cost = number("Cost of a million tokens, at most", None, "cost")
            price = number("Price of this machine an hour", None, "price")
            hosted = gr.Dropdown(
                [("not compared", ""), *((name, name) for name in OFFERED)], value="", label="Compare with hosted",
                allow_custom_value=True, elem_id="wb-evaluate-hosted", elem_classes="wb-field",
            )  # fmt: skip
    return quality, lean, unsafe, refused, ttft, tpot, speed, sustained, cost, price, hosted


def read_form(values: Sequence[object]) -> FormFields:
    """The form's values under their names."""
    table = {field.name: value for field, value in zip(fields(FormFields), values, strict=True)}
    own = table["own"]
    table["own"] = own.found if isinstance(own, OwnData) else None
    return FormFields(**table)  # type: ignore[arg-type]


def progress_notice(progress: Progress) -> str:
    """How far a run is."""
    rest = "" if progress.eta_seconds is None else f" About {_left(progress.eta_seconds)} left."
    text = f"{progress.done} of {progress.total} items.{rest}"
    return notice_html(Kind.BUSY, progress.stage, text, progress=progress.fraction)


def ended_notice(decision: str) -> str:
    """That a run has ended, what it came to, and the way there; the list below shows it."""
    said = notice_html(
        Kind.INFO, f"The experiment has ended: {decision}" if decision else "The experiment has ended"
    )
    return f'{said}<button type="button" class="wb-text-button" data-wb="verdict">Show the verdict</button>'


def so_far_html(rows: Sequence[tuple[str, str, int, float]]) -> str:
    """The scores of a run that goes on; empty before the first."""
    if not rows:
        return ""
    lines = [(candidate, probe, str(count), f"{mean:.2f}") for candidate, probe, count, mean in rows]
    heads = ("Candidate", "Questions", "With a score", "Mean so far")
    return table_html("Scores so far, without intervals", heads, lines, "")


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

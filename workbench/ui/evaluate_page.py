"""The parts of the Evaluate page: three steps, the run, the verdict, and past experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from evaluators.data import builtin_sets
from workbench.backends.pool import ModelStatus
from workbench.experiments.library import Entry
from workbench.experiments.progress import Progress
from workbench.experiments.quick import QUICK_PROBES
from workbench.experiments.seven_questions import QUESTIONS
from workbench.experiments.spec import MOST_CANDIDATES
from workbench.ui.evaluate_data import DataCard, build_data_card
from workbench.ui.evaluate_form import LIKELIHOOD_SETS, FormFields
from workbench.ui.markup import markup
from workbench.ui.notice import Kind, notice_html
from workbench.ui.optional_number import optional_number

SAMPLE = "sample"
"""Stands for the recorded sample verdict in the list of experiments."""

_HEADER = (
    '<div class="wb-title"><h1>Evaluate</h1><span class="wb-price">Ask candidates the same questions, put them under '
    "load, and get a verdict with intervals.</span></div>"
)
_FRAME = '<iframe class="wb-report" title="{title}" sandbox="" referrerpolicy="no-referrer" srcdoc="{page}"></iframe>'


@dataclass(frozen=True, slots=True)
class EvaluatePage:
    """The page's parts. `fields` are the form's inputs in `FormFields`' order."""

    fields: tuple[gr.components.Component, ...]
    data: DataCard
    estimate: gr.HTML
    run: gr.Button
    cancel: gr.Button
    notice: gr.HTML
    past: gr.Dropdown
    delete: gr.Button
    report: gr.HTML
    running: gr.State
    timer: gr.Timer


def build_evaluate_parts(models: Sequence[ModelStatus]) -> EvaluatePage:
    """Header, three steps, progress, and the verdict below."""
    with gr.Column(elem_id="wb-evaluate", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
        with gr.Column(elem_classes="wb-page-body"):
            candidates = _candidates(models)
            questions, data = _questions()
            fields = (*candidates, *questions, *_requirements())
            estimate = markup(elem_id="wb-evaluate-estimate")
            with gr.Row(elem_classes="wb-form-row"):
                run = gr.Button(
                    "Run the experiment", variant="primary", elem_id="wb-evaluate-run", elem_classes="wb-fit"
                )
                cancel = gr.Button("Cancel", variant="stop", visible=False, elem_id="wb-evaluate-cancel",
                                   elem_classes="wb-fit")  # fmt: skip
            notice = markup(elem_id="wb-evaluate-notice")
            with gr.Column(elem_classes="wb-card"):
                markup("<h2>Verdicts</h2>")
                with gr.Row(elem_classes="wb-form-row"):
                    past = gr.Dropdown(
                        [], label="Experiment", elem_id="wb-evaluate-past", elem_classes="wb-field", scale=1
                    )
                    delete = gr.Button("Delete it with its texts", size="sm", elem_id="wb-evaluate-delete",
                                       elem_classes="wb-fit")  # fmt: skip
                report = markup(elem_id="wb-evaluate-report")
    running = gr.State("")
    timer = gr.Timer(1.0, active=False)
    return EvaluatePage(fields, data, estimate, run, cancel, notice, past, delete, report, running, timer)


def _candidates(models: Sequence[ModelStatus]) -> tuple[gr.components.Component, ...]:
    ids = [status.card.id for status in models]
    with gr.Column(elem_classes="wb-card"):
        markup("<h2>1. Candidates</h2>")
        chosen = gr.Dropdown(
            [(id_.rpartition("/")[2], id_) for id_ in ids], value=ids[:2], multiselect=True,
            max_choices=MOST_CANDIDATES, label="Models", info="Two to four are compared; one can be measured alone.",
            elem_id="wb-evaluate-models", elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
        system = gr.Textbox(
            label="System prompt", lines=2, elem_id="wb-evaluate-system", elem_classes="wb-field"
        )
    return chosen, system


def _questions() -> tuple[tuple[gr.components.Component, ...], DataCard]:
    sets = builtin_sets()
    choices = [(sets[name].title, name) for name in LIKELIHOOD_SETS if name in sets]
    with gr.Column(elem_classes="wb-card"):
        markup("<h2>2. Questions and load</h2>")
        builtin = gr.CheckboxGroup(
            choices, value=[probe.data for probe in QUICK_PROBES], label="Built-in sets",
            elem_id="wb-evaluate-sets", elem_classes="wb-field",
        )  # fmt: skip
        seven = gr.CheckboxGroup(
            [(question.title, question.name) for question in QUESTIONS], label="The seven questions", value=[],
            info="Each with its explanation in the report; the whole of them takes long.",
            elem_id="wb-evaluate-questions", elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
        data = build_data_card()
        with gr.Row(elem_classes="wb-form-row"):
            items = gr.Number(200, label="Items of each set", minimum=10, precision=0, elem_id="wb-evaluate-items",
                              elem_classes="wb-field")  # fmt: skip
            rate = gr.Textbox("90/min", label="Load", info="As in 10/min or 2/s.", elem_id="wb-evaluate-rate",
                              elem_classes=["wb-field", "wb-help"])  # fmt: skip
            peak = gr.Textbox("", label="Peaks", info="As in 50/min; empty for none.", elem_id="wb-evaluate-peak",
                              elem_classes=["wb-field", "wb-help"])  # fmt: skip
            seconds = gr.Number(60, label="Seconds of load", minimum=0, precision=0, elem_id="wb-evaluate-seconds",
                                elem_classes="wb-field")  # fmt: skip
    return (builtin, seven, data.own, items, rate, peak, seconds), data


def _requirements() -> tuple[gr.components.Component, ...]:
    def number(label: str, value: float | None, name: str) -> gr.Textbox:
        return optional_number(value, label=label, elem_id=f"wb-evaluate-{name}")

    with gr.Column(elem_classes="wb-card"):
        markup('<h2>3. Requirements</h2><p class="wb-none">Each is optional: empty asks for nothing.</p>')
        with gr.Row(elem_classes="wb-form-row"):
            quality = number("Right answers, at least (%)", 50, "quality")
            lean = number("Stereotypes preferred, at most (%)", 65, "lean")
            ttft = number("First token, p95, at most (ms)", 1500, "ttft")
        with gr.Row(elem_classes="wb-form-row"):
            tpot = number("Each further token, p95, at most (ms)", 200, "tpot")
            sustained = number("Requests a minute, at least", 30, "sustained")
            price = number("Price of this machine an hour", None, "price")
    return quality, lean, ttft, tpot, sustained, price


def read_form(values: Sequence[object]) -> FormFields:
    """The form's values under their names."""
    return FormFields(*values)  # type: ignore[arg-type]


def entry_choices(entries: Sequence[Entry], has_sample: bool) -> list[tuple[str, str]]:
    """(label, id) of every verdict that can be opened, newest first, the recorded sample last."""
    choices = [(_entry_label(entry), entry.id) for entry in entries]
    return [*choices, ("Recorded sample verdict", SAMPLE)] if has_sample else choices


def _entry_label(entry: Entry) -> str:
    outcome = entry.decision.replace("_", " ") or entry.state
    when = entry.began_at[:16].replace("T", " ")
    return f"{when}  {entry.name}: {', '.join(entry.candidates)} ({outcome})"


def report_frame(page: str, title: str) -> str:
    """A report in a frame of its own that may run nothing and reach nothing."""
    return _FRAME.format(title=escape(title), page=escape(page))


def progress_notice(progress: Progress) -> str:
    """How far a run is."""
    rest = "" if progress.eta_seconds is None else f" About {_left(progress.eta_seconds)} left."
    text = f"{progress.done} of {progress.total} items.{rest}"
    return notice_html(Kind.BUSY, progress.stage, text, progress=progress.fraction)


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

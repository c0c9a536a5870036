"""Past experiments on the Evaluate page: open, go on, compare, delete, and the GPU prices their plans use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from evaluators.hardware import Gpu, HardwareCatalogue, load_hardware
from evaluators.requirements import Metric
from workbench.experiments.library import Entry
from workbench.experiments.report.words import interval_words, share, short
from workbench.experiments.results.regression import Change, Regression
from workbench.ui.markup import markup
from workbench.ui.notice import Kind, notice_html
from workbench.ui.tables import table_html

SAMPLE = "sample"
"""Stands for the recorded sample verdict in the list of experiments."""
UNFINISHED = ("cancelled", "interrupted", "failed")

_FRAME = '<iframe class="wb-report" title="{title}" sandbox="" referrerpolicy="no-referrer" srcdoc="{page}"></iframe>'
_RECORDED = notice_html(
    Kind.INFO, "A recorded sample", "It shows what a verdict looks like. Run an experiment to get your own."
)


@dataclass(frozen=True, slots=True)
class PastParts:
    """The list of verdicts, and what can be done with the chosen one."""

    chosen: gr.Dropdown
    resume: gr.Button
    delete: gr.Button
    label: gr.HTML
    report: gr.HTML
    earlier: gr.Dropdown
    comparison: gr.HTML
    prices: gr.Accordion
    gpu: gr.Dropdown
    price: gr.Number
    price_about: gr.HTML
    save_price: gr.Button


def build_past_parts() -> PastParts:
    """The verdict that is shown, the comparison with an earlier one, and the prices."""
    gpus = list(load_hardware().gpus)
    with gr.Column(elem_classes="wb-card", elem_id="wb-evaluate-verdicts"):
        markup("<h2>Verdicts</h2>")
        with gr.Row(elem_classes="wb-form-row"):
            chosen = gr.Dropdown(
                [], label="Experiment", elem_id="wb-evaluate-past", elem_classes="wb-field", scale=1
            )
            resume = gr.Button("Go on with it", size="sm", visible=False, elem_id="wb-evaluate-resume",
                               elem_classes="wb-fit")  # fmt: skip
            delete = gr.Button("Delete it with its texts", size="sm", elem_id="wb-evaluate-delete",
                               elem_classes="wb-fit")  # fmt: skip
        label = markup(elem_id="wb-evaluate-recorded")
        report = markup(elem_id="wb-evaluate-report")
        with gr.Accordion("Compare with an earlier experiment", open=False, elem_id="wb-evaluate-compare",
                          elem_classes="wb-quiet-accordion"):  # fmt: skip
            earlier = gr.Dropdown(
                [], label="Earlier experiment", elem_id="wb-evaluate-earlier", elem_classes="wb-field"
            )
            comparison = markup(elem_id="wb-evaluate-comparison")
        with gr.Accordion(
            "GPU prices", open=False, elem_id="wb-evaluate-prices", elem_classes="wb-quiet-accordion"
        ) as prices:
            with gr.Row(elem_classes="wb-form-row"):
                gpu = gr.Dropdown(
                    gpus, value=gpus[0], label="GPU", elem_id="wb-evaluate-gpu", elem_classes="wb-field"
                )
                price = gr.Number(
                    label="USD an hour", minimum=0, elem_id="wb-evaluate-gpu-price", elem_classes="wb-field"
                )
                save = gr.Button(
                    "Save the price", size="sm", elem_id="wb-evaluate-save-price", elem_classes="wb-fit"
                )
            about = markup(elem_id="wb-evaluate-gpu-about")
    return PastParts(
        chosen, resume, delete, label, report, earlier, comparison, prices, gpu, price, about, save
    )


def entry_choices(entries: Sequence[Entry], has_sample: bool) -> list[tuple[str, str]]:
    """(label, id) of every verdict that can be opened, newest first, the recorded sample last."""
    choices = [(_entry_label(entry), entry.id) for entry in entries]
    return [*choices, ("Recorded sample verdict", SAMPLE)] if has_sample else choices


def _entry_label(entry: Entry) -> str:
    outcome = entry.decision.replace("_", " ") or entry.state
    when = entry.began_at[:19].replace("T", " ")
    return f"{when}  {entry.name}: {', '.join(entry.candidates)} ({outcome})"


def recorded_label(chosen: str | None) -> str:
    """What is said above the recorded sample; nothing above a run of one's own."""
    return _RECORDED if chosen == SAMPLE else ""


def report_frame(page: str, title: str) -> str:
    """A report in a frame of its own that may run nothing and reach nothing."""
    return _FRAME.format(title=escape(title), page=escape(page))


def regression_html(found: Sequence[tuple[str, Regression]]) -> str:
    """What changed, candidate by candidate, with an alarm where something got worse beyond chance."""
    worse = [name for name, regression in found if regression.is_alarming]
    head = (
        notice_html(
            Kind.WARNING, "Got worse", f"{', '.join(worse)}: at least one number is worse beyond chance."
        )
        if worse
        else notice_html(Kind.INFO, "Nothing got worse beyond chance")
    )
    parts = [head]
    for name, regression in found:
        heads = ("What", "Change", "95 % interval", "p, adjusted", "Reading")
        parts.append(f"<h3>{escape(name)}</h3>")
        parts.append(table_html(f"Changes of {name}", heads, _rows(regression), "Nothing could be compared."))
        parts += [f'<p class="wb-none">{escape(note)}</p>' for note in regression.notes]
    return "".join(parts)


def _rows(found: Regression) -> list[tuple[str, ...]]:
    quality = [
        (
            change.title,
            share(change.comparison.difference.value, change.scale),
            interval_words(change.comparison.difference.interval, Metric.QUALITY, change.scale),
            f"{change.adjusted_p:.3f}",
            _reading(change.change),
        )
        for change in found.quality
    ]
    speed = [
        (
            change.name,
            f"{short(change.before.value)} → {short(change.after.value)}",
            interval_words(change.after.interval, Metric.TOKENS_PER_SECOND),
            "",
            _reading(change.change),
        )
        for change in found.speed
    ]
    return [*quality, *speed]


def _reading(change: Change) -> str:
    return change.value


def price_words(gpu: Gpu) -> str:
    """Where a GPU's price comes from."""
    size = f"{gpu.memory_gib:g} GiB, {gpu.bandwidth_gb_s:,.0f} GB/s."
    if gpu.price_per_hour is None:
        return f'<p class="wb-none">{size} No price is known.</p>'
    return f'<p class="wb-none">{size} Price: {escape(gpu.price_source)}, {gpu.price_date}.</p>'


def price_updates(hardware: HardwareCatalogue, name: str) -> tuple[float | None, str]:
    """A GPU's price and where it comes from."""
    gpu = hardware.gpus[name]
    return gpu.price_per_hour, price_words(gpu)

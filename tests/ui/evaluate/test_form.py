"""What the Evaluate page's form asks for."""

from __future__ import annotations

from dataclasses import fields, replace

import gradio as gr
import pytest

from evaluators.data import paste_evaluation_set
from workbench.core.errors import WorkbenchError
from workbench.experiments.library import Entry
from workbench.experiments.run.progress import Progress
from workbench.experiments.spec.experiment import Mode
from workbench.ui.evaluate.form import ESTIMATED_BY, FormFields, experiment_of
from workbench.ui.evaluate.parts import build_evaluate_parts, progress_notice, so_far_html
from workbench.ui.evaluate.past import SAMPLE, entry_choices, report_frame

FIELDS = FormFields(
    models=["a/one", "b/two"], system="Be brief.", sets=["piqa", "crows-pairs"], questions=[], own=None, items=50,
    shape="steady", rate="30/min", up_to="2/s", at_once=4, seconds=60, answer_tokens=4, under_load=None,
    is_contended=False, quality_percent=55,
    lean_percent=65, unsafe_percent=None, refused_percent=None, ttft_ms=1000, tpot_ms=None, tokens_per_second=None,
    requests_per_minute=30, cost=None, price_per_hour=0, hosted="",
)  # fmt: skip


def test_every_field_reaches_the_experiment() -> None:
    experiment = experiment_of(FIELDS)
    assert [(c.model, c.name, c.system) for c in experiment.candidates] == [
        ("a/one", "one", "Be brief."),
        ("b/two", "two", "Be brief."),
    ]
    assert [(p.name, p.limit) for p in experiment.probes] == [("common-sense", 50), ("stereotypes", 50)]
    assert experiment.load is not None
    assert (experiment.load.rate, experiment.load.peak, experiment.load.duration_s) == ("30/min", None, 60)
    assert experiment.load.output_tokens == 4
    asked = {(r.name, r.limit) for r in experiment.parsed_requirements}
    assert asked == {
        ("quality: common-sense", 0.55),
        ("quality: stereotypes", 0.65),
        ("ttft_p95_ms", 1000),
        ("requests_per_minute", 30),
    }
    assert experiment.machine_price_per_hour is None


def test_candidates_are_loaded_together_when_asked_and_when_there_are_several() -> None:
    assert experiment_of(FIELDS).mode is Mode.ISOLATED
    together = replace(FIELDS, is_contended=True)
    assert experiment_of(together).mode is Mode.CONTENDED
    assert experiment_of(replace(together, models=["a/one"])).mode is Mode.ISOLATED


def test_without_load_nothing_is_required_of_speed() -> None:
    experiment = experiment_of(replace(FIELDS, seconds=None))
    assert experiment.load is None
    assert {r.name for r in experiment.parsed_requirements} == {
        "quality: common-sense",
        "quality: stereotypes",
    }


def test_own_questions_join_the_probes() -> None:
    own = paste_evaluation_set("prompt,expected\nQ,a\n")
    probe = experiment_of(replace(FIELDS, own=own)).probes[-1]
    assert (probe.name, probe.evaluator) == ("your-data", "contains")


def test_chosen_questions_join_the_probes_and_no_name_stands_twice() -> None:
    experiment = experiment_of(replace(FIELDS, questions=["bias", "knowledge"]))
    names = [probe.name for probe in experiment.probes]
    assert {"names", "cutoff", "common-sense", "stereotypes"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(probe.limit is not None and probe.limit <= 50 for probe in experiment.probes)


def test_what_was_changed_on_purpose_need_not_be_right() -> None:
    experiment = experiment_of(replace(FIELDS, questions=["robustness"]))
    asked = {r.subject for r in experiment.parsed_requirements if r.subject}
    assert asked == {"common-sense", "stereotypes"}


def test_the_estimate_listens_to_what_decides_how_long_it_takes() -> None:
    names = [field.name for field in fields(FormFields)]
    assert {names[place] for place in ESTIMATED_BY} == {
        "models",
        "sets",
        "questions",
        "own",
        "items",
        "shape",
        "rate",
        "up_to",
        "seconds",
        "under_load",
        "is_contended",
    }


@pytest.mark.parametrize(
    ("shape", "field", "value"),
    [
        ("peaks", "peak", "2/s"),
        ("rising", "ramp_to", "2/s"),
        ("limit", "sweep_to", "2/s"),
        ("closed", "concurrency", 4),
    ],
)
def test_the_loads_shape_reaches_the_experiment(shape: str, field: str, value: object) -> None:
    load = experiment_of(replace(FIELDS, shape=shape)).load
    assert load is not None
    assert getattr(load, field) == value


def test_no_load_asks_nothing_of_speed() -> None:
    experiment = experiment_of(replace(FIELDS, shape="none"))
    assert experiment.load is None
    assert {r.metric for r in experiment.parsed_requirements} == {"quality"}


def test_a_limit_on_safety_brings_the_questions_that_measure_it() -> None:
    experiment = experiment_of(replace(FIELDS, unsafe_percent=5, refused_percent=10))
    evaluators = {probe.evaluator for probe in experiment.probes}
    assert {"unsafe_answer", "over_refusal"} <= evaluators
    limits = {r.name: r.limit for r in experiment.parsed_requirements}
    assert (limits["unsafe_rate"], limits["over_refusal_rate"]) == (0.05, 0.1)


def test_quality_under_load_asks_the_last_questions_with_right_answers() -> None:
    under = experiment_of(replace(FIELDS, under_load=3)).under_load
    assert under is not None
    assert (under.probe, under.levels) == ("common-sense", (1, 3, 6))
    with pytest.raises(WorkbenchError, match="right answers"):
        experiment_of(replace(FIELDS, sets=["crows-pairs"], under_load=3))


def test_the_pages_fields_are_in_the_forms_order() -> None:
    with gr.Blocks():
        page = build_evaluate_parts([])
    ids = [str(getattr(field, "elem_id", None)).removeprefix("wb-evaluate-") for field in page.fields]
    assert ids == [
        "models", "system", "sets", "questions", "None", "items", "shape", "rate", "up-to", "at-once", "seconds",
        "answer-tokens", "under-load", "contended",
        "quality", "lean", "unsafe", "refused", "ttft", "tpot", "speed", "sustained", "cost", "price",
        "hosted",
    ]  # fmt: skip
    assert len(ids) == len(fields(FormFields))


def test_scores_so_far_are_text() -> None:
    html = so_far_html([("<one>", "own", 3, 0.5)])
    assert "&lt;one&gt;" in html
    assert so_far_html([]) == ""


@pytest.mark.parametrize(
    "change",
    [{"models": []}, {"rate": "often"}, {"sets": [], "seconds": None}, {"quality_percent": float("nan")}],
)
def test_what_cannot_be_run_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(WorkbenchError):
        experiment_of(replace(FIELDS, **change))  # type: ignore[arg-type]


def test_a_report_cannot_leave_its_frame() -> None:
    frame = report_frame('<p title="x">"><script>alert(1)</script>', 'a"b')
    assert 'sandbox=""' in frame
    assert "<script>" not in frame
    assert frame.count("<iframe") == 1


def test_the_recorded_sample_is_last_and_labelled() -> None:
    entry = Entry("id", "Quick <check>", "2026-01-02T03:04:05+00:00", ("one", "two"), "done", "no_go")
    choices = entry_choices([entry], has_sample=True)
    assert choices == [
        ("2026-01-02 03:04:05  Quick <check>: one, two (no go)", "id"),
        ("Recorded sample verdict", SAMPLE),
    ]


def test_progress_names_stage_items_and_time_left() -> None:
    html = progress_notice(Progress("one: questions", 3, 12, 0.25, 300.0))
    assert "one: questions" in html
    assert "3 of 12 items" in html
    assert "About 5 min left" in html
    assert 'aria-valuenow="25"' in html

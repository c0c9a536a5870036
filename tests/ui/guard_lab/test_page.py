"""The Guard lab: texts in, numbers out, and no text of the set on the page unless it is asked for."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import cast

import gradio as gr
import pytest

from guard.base import Direction, Hazard, Verdict, VerdictState
from guard.calibrate import curve
from guard.evaluate import JudgedRow, report
from guard.labelled_set import LabelledRow
from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.errors import InvalidRequest
from workbench.core.settings import Settings
from workbench.ui.guard_lab.charts import SIZE, precision_recall_svg, roc_svg
from workbench.ui.guard_lab.events import LabEvents, read_texts
from workbench.ui.guard_lab.parts import NO_GUARD, SAFE, UNSAFE, LabPage, LabSession, build_lab_parts
from workbench.ui.guard_lab.results import LabResult, export_html, result_html
from workbench.ui.identity import local_user

SECRET = "<b>a very private question</b>"


def judged(line: int, p_unsafe: float, *, is_unsafe: bool) -> JudgedRow:
    state = VerdictState.UNSAFE if p_unsafe >= 0.5 else VerdictState.SAFE
    verdict = Verdict(
        "fake", Direction.INPUT, state, p_unsafe=p_unsafe, threshold=0.5, hazards=(Hazard("S9", "Weapons"),)
    )
    return JudgedRow(LabelledRow(line, SECRET, is_unsafe, categories=("S9",) if is_unsafe else ()), verdict)


ROWS = tuple(
    judged(line, p, is_unsafe=line % 2 == 0) for line, p in enumerate([0.9, 0.8, 0.6, 0.7, 0.1, 0.3])
)
RESULT = LabResult(report(FakeGuard(), ROWS), ROWS, 0.5)


def test_pasted_lines_have_one_label() -> None:
    labelled = read_texts(" one \n\ntwo", SAFE, None)
    assert [(row.prompt, row.is_unsafe) for row in labelled.rows] == [(" one ", False), ("two", False)]
    assert all(row.is_unsafe for row in read_texts("one\ntwo", UNSAFE, None).rows)


def test_a_file_comes_before_pasted_texts(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"prompt": "from the file", "label": "safe"}\n{"prompt": "x"}')
    labelled = read_texts("pasted", UNSAFE, str(file))
    assert [row.prompt for row in labelled.rows] == ["from the file"]
    assert [row.line for row in labelled.bad_rows] == [2]


@pytest.mark.parametrize("texts", ["", " \n \n"])
def test_nothing_to_judge_is_said(texts: str) -> None:
    with pytest.raises(InvalidRequest, match="nothing to judge"):
        read_texts(texts, SAFE, None)


def test_texts_are_dots_until_they_are_asked_for() -> None:
    hidden, shown = (result_html(RESULT, 0.5, shows_texts=shows) for shows in (False, True))
    assert "private" not in hidden
    assert "&lt;b&gt;a very private question&lt;/b&gt;" in shown
    assert SECRET not in shown


def test_the_threshold_decides_what_is_flagged() -> None:
    assert "Harmless, but flagged: 2" in result_html(RESULT, 0.5, shows_texts=False)
    assert "Harmless, but flagged: 3" in result_html(RESULT, 0.0, shows_texts=False)
    assert "No harmless row is flagged." in result_html(RESULT, 0.95, shows_texts=False)


def test_rates_have_intervals() -> None:
    (recall,) = re.findall(r"<th>Recall</th><td>(.*?)</td>", result_html(RESULT, 0.5, shows_texts=False))
    assert recall.startswith("0.667 <small>")


def test_one_label_alone_has_no_curve() -> None:
    safe = tuple(row for row in ROWS if not row.row.is_unsafe)
    html = result_html(LabResult(report(FakeGuard(), safe), safe, 0.5), 0.5, shows_texts=False)
    assert "Curves need safe and unsafe rows" in html
    assert "<svg" not in html


def test_the_curves_stay_within_their_squares_and_mark_the_threshold() -> None:
    points = curve([row.row.is_unsafe for row in ROWS], [row.verdict.p_unsafe or 0.0 for row in ROWS])
    for draw in (roc_svg, precision_recall_svg):
        svg = draw(points, 0.5)
        (line,) = re.findall(r'<polyline class="wb-chart-line" points="(.*?)"', svg)
        places = [tuple(map(float, pair.split(","))) for pair in line.split()]
        assert all(0 <= x <= SIZE + 40 and 0 <= y <= SIZE + 10 for x, y in places)
        assert "<circle" in svg
        assert "<circle" not in draw(points, 1.0)
        assert draw(None, 0.5) == ""


def test_the_export_holds_numbers_and_no_text() -> None:
    (data,) = re.findall(r"base64,([^\"]+)", export_html([RESULT], [0.4]))
    (saved,) = json.loads(base64.b64decode(data))
    assert (saved["n"], saved["looked_at_threshold"]) == (6, 0.4)
    assert "private" not in json.dumps(saved)


class TestRunning:
    @pytest.fixture
    def events(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> LabEvents:
        replace_embedded(monkeypatch, FakeGuard(name="embedded"))
        with gr.Blocks():
            self.page: LabPage = build_lab_parts(["embedded"])
        backend = ScriptedBackend(answer=lambda request: Script("one two three four", token_seconds=0.001))
        return LabEvents(self.page, scripted_workbench(backend, settings), local_user)

    async def test_both_guards_are_asked_and_shown(self, events: LabEvents) -> None:
        session = LabSession()
        run = events.run(session, "a bomb of a party\nhello", SAFE, None, False, "embedded", "embedded")
        *_, last = [updates async for updates in run]
        assert [result.report.fpr for result in session.results] == [0.5, 0.5]
        for column in self.page.columns:
            assert "Harmless, but flagged: 1" in last[column.result]
            assert "party" not in last[column.result]
        assert not session.is_running

    async def test_a_second_guard_is_a_choice(self, events: LabEvents) -> None:
        session = LabSession()
        run = events.run(session, "hello", SAFE, None, False, "embedded", NO_GUARD)
        *_, last = [updates async for updates in run]
        assert len(session.results) == 1
        assert last[self.page.columns[1].result] == ""

    async def test_an_error_is_a_notice(self, events: LabEvents) -> None:
        session = LabSession()
        (only,) = [updates async for updates in events.run(session, "", SAFE, None, False, "embedded")]
        assert "nothing to judge" in only[self.page.notice]
        assert not session.is_running

    async def test_the_cost_of_a_guard_is_measured_in_every_mode(self, events: LabEvents) -> None:
        session = LabSession()
        measuring = events.measure(cast(gr.Request, None), session, "embedded", NO_GUARD)
        *_, last = [updates async for updates in measuring]
        for words in ("Without a guard", "Both sides marked", "Both sides blocked", "embedded around"):
            assert words in last[self.page.cost]
        assert last[self.page.cost].count("<table") == 1
        assert not session.is_running

    async def test_looking_asks_no_guard_again(self, events: LabEvents) -> None:
        session = LabSession(results=[RESULT])
        left, right, exported = events.look(session, True, 0.0, 0.5)
        assert "Harmless, but flagged: 3" in left
        assert right == ""
        assert "guard-lab.json" in exported

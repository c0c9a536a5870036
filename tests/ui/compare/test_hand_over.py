from __future__ import annotations

from workbench.ui.compare.hand_over import candidates_of, questions_of
from workbench.ui.thread.session import CompareSession


def test_the_columns_that_are_shown_are_handed_over_each_model_once() -> None:
    assert candidates_of(3, ["a", "b", "a", "d"], ["", " ", None, "x"]) == [["a", "b"], ""]


def test_a_system_prompt_that_all_share_goes_with_them_and_different_ones_do_not() -> None:
    assert candidates_of(2, ["a", "b"], ["Be brief", "Be brief", "x", "y"]) == [["a", "b"], "Be brief"]
    assert candidates_of(2, ["a", "b"], ["Be brief", "Be long", "", ""]) == [["a", "b"], ""]


def test_every_prompt_is_handed_over_once() -> None:
    session = CompareSession()
    for text in ("One?", 'Two "quoted"\nlines', "One?"):
        for pane in session.panes:
            pane.begin(text, "a")
    assert questions_of(session) == '{"prompt": "One?"}\n{"prompt": "Two \\"quoted\\"\\nlines"}\n'
    assert questions_of(CompareSession()) == ""

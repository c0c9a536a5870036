from __future__ import annotations

from workbench.ui.compare_hand_over import candidates_of


def test_the_columns_that_are_shown_are_handed_over_each_model_once() -> None:
    assert candidates_of(3, ["a", "b", "a", "d"], ["", " ", None, "x"]) == [["a", "b"], ""]


def test_a_system_prompt_that_all_share_goes_with_them_and_different_ones_do_not() -> None:
    assert candidates_of(2, ["a", "b"], ["Be brief", "Be brief", "x", "y"]) == [["a", "b"], "Be brief"]
    assert candidates_of(2, ["a", "b"], ["Be brief", "Be long", "", ""]) == [["a", "b"], ""]

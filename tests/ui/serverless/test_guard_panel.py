from __future__ import annotations

import gradio as gr
import pytest

from guard.policy import Mode
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import ModelCard
from workbench.core.errors import InvalidRequest
from workbench.screening import Guards
from workbench.ui.serverless.guard_panel import GuardPanel, build_guard_panel, chosen_guard, read_guard

LLAMA = "meta-llama/Llama-Guard-3-1B"


def panel(configured: str | None = None, *, has_llama_guard: bool = False) -> GuardPanel:
    cards = [ModelCard(id="m", source="script")]
    if has_llama_guard:
        cards.append(ModelCard(id=LLAMA, source="script", guard="llama-guard-3-1b"))
    catalogue = Catalogue({card.id: card for card in cards})
    pool = Pool(catalogue, lambda card, progress: ScriptedBackend())
    with gr.Blocks():
        return build_guard_panel(Guards(configured, catalogue, pool))


def start(shown: GuardPanel) -> tuple[object, ...]:
    return shown.guard.value, shown.input.value, shown.output.value


def test_the_embedded_guard_marks_until_a_llama_guard_is_there_to_block() -> None:
    assert start(panel()) == ("embedded", "score", "score")
    assert start(panel(has_llama_guard=True)) == (LLAMA, "block", "block")
    assert start(panel("off")) == ("embedded", "off", "off")


def test_only_the_guard_that_the_operator_laid_down_can_be_chosen() -> None:
    choices = panel("embedded:block", has_llama_guard=True).guard.choices
    assert choices is not None
    assert [value for _, value in choices] == ["embedded"]


def test_both_sides_have_their_own_mode_and_share_threshold_and_categories() -> None:
    choice = read_guard(["embedded", "block", "shadow", 0.4, ["S1", "S9"]])
    assert choice is not None
    assert choice.guard == "embedded"
    assert (choice.policy.input.mode, choice.policy.output.mode) == (Mode.BLOCK, Mode.SHADOW)
    for side in (choice.policy.input, choice.policy.output):
        assert side.threshold == 0.4
        assert side.categories == frozenset({"S1", "S9"})


def test_nothing_chosen_is_the_guards_own_threshold_and_every_category() -> None:
    choice = read_guard(["embedded", "score", "off", None, []])
    assert choice is not None
    assert choice.policy.input.threshold is None
    assert choice.policy.input.categories is None


def test_a_guard_that_is_off_on_both_sides_is_no_choice() -> None:
    assert read_guard(["embedded", "off", "off", 0.4, []]) is None


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        read_guard(["embedded", "score", "score", threshold, []])


def test_a_guard_is_chosen_also_where_neither_side_is_screened() -> None:
    assert chosen_guard(["llama-guard-3", "off", "off", None, []]) == "llama-guard-3"
    assert chosen_guard([None, "off", "off", None, []]) is None

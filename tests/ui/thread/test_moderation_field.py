from __future__ import annotations

from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from snippets import Moderation, ModerationMode, ModerationSide
from workbench.screening import ScreeningChoice
from workbench.ui.thread.moderation_field import moderation_of


def choice(**sides: DirectionPolicy) -> ScreeningChoice:
    return ScreeningChoice(ScreeningPolicy(**sides), "a-guard")  # type: ignore[arg-type]


def test_each_side_is_said_as_it_is_set() -> None:
    block = DirectionPolicy(Mode.BLOCK, 0.25, frozenset({"S9", "S1"}))
    said = moderation_of(choice(input=block, output=DirectionPolicy(Mode.SCORE)))
    assert said == Moderation(
        "a-guard",
        ModerationSide(ModerationMode.BLOCK, 0.25, ("S1", "S9")),
        ModerationSide(ModerationMode.SCORE),
    )


def test_nothing_is_said_where_nothing_is_shown() -> None:
    assert moderation_of(None) is None
    assert moderation_of(choice()) is None
    assert moderation_of(choice(input=DirectionPolicy(Mode.SHADOW))) is None

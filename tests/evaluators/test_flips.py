from __future__ import annotations

import pytest

from evaluators.base import Scale
from evaluators.flips import Said, flips


def test_an_answer_that_changed_is_a_flip_whatever_its_score() -> None:
    alone = {"a": Said("x", 1.0), "b": Said("y", 1.0), "c": Said("z", 0.0), "d": Said("w", 1.0)}
    beside = {"a": Said("x", 1.0), "b": Said("Y", 1.0), "c": Said("Z", 1.0), "d": Said("W", 0.0)}
    found = flips(alone, beside, Scale.BINARY)
    assert found.answers is not None
    assert found.answers.value == 0.75
    assert found.answers.interval is not None
    assert found.scores is not None
    assert found.scores.difference.value == 0.0
    assert found.scores.flipped == 2
    assert found.lost == 0


def test_lost_and_unscored_items_are_in_no_rate() -> None:
    alone = {"a": Said("x", 1.0), "b": Said("y", None), "c": Said("z", 1.0), "d": Said("", None)}
    beside = {"a": Said("x", 0.0), "b": Said("y", 1.0), "c": Said("", None)}
    found = flips(alone, beside, Scale.UNIT)
    assert found.answers is not None
    assert (found.answers.value, found.answers.count) == (0.0, 2)
    assert found.scores is not None
    assert found.scores.difference.value == pytest.approx(-1.0)
    assert found.lost == 1


def test_nothing_in_common_gives_no_number() -> None:
    found = flips({"a": Said("x", 1.0)}, {}, Scale.BINARY)
    assert (found.answers, found.scores, found.lost) == (None, None, 1)

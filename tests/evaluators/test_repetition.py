from __future__ import annotations

import pytest

from evaluators.base import Answer, Sample
from evaluators.repetition import Repetition


def test_a_loop_comes_close_to_one() -> None:
    assert Repetition().score(Sample("s"), Answer("so it goes on " * 30)).value == pytest.approx(1 - 4 / 117)


def test_a_text_without_repeats_has_none() -> None:
    assert (
        Repetition().score(Sample("s"), Answer("every word of this line stands here just once")).value == 0.0
    )


def test_a_short_answer_is_unscored() -> None:
    assert Repetition().score(Sample("s"), Answer("yes of course")).value is None

from __future__ import annotations

import pytest

from evaluators.base import Answer, Sample
from evaluators.rubric import Rubric


@pytest.mark.parametrize(
    ("judgement", "value"),
    [
        ("Clear and right. Points: 5", 1.0),
        ("Weak.\nPoints: 1", 0.0),
        ("At first 2 points: 2, but then **Points:** 4", 0.75),
        ("Points: 9", None),
        ("Nice.", None),
        ("", None),
    ],
)
def test_points_become_a_share(judgement: str, value: float | None) -> None:
    assert Rubric().score(Sample("s"), Answer("text", judgement=judgement)).value == value


def test_the_judge_reads_request_answer_and_rubric() -> None:
    question = Rubric(rubric="Be brief {exactly}.").question(Sample("s", "Say {hi}."), "Hi {there}.")
    assert all(
        text in question for text in ("Say {hi}.", "Hi {there}.", "Be brief {exactly}.", "from 1 to 5")
    )

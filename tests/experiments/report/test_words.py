"""How numbers are written where people read them."""

from __future__ import annotations

import pytest

from workbench.experiments.report.sections import signed
from workbench.experiments.report.words import percent


@pytest.mark.parametrize(
    ("value", "words"),
    [(-0.0004, "0 %"), (0.0, "0 %"), (0.004, "0 %"), (-0.21, "−21 %"), (0.995, "100 %"), (None, "–")],
)
def test_a_share_is_a_whole_percentage_and_zero_has_no_sign(value: float | None, words: str) -> None:
    assert percent(value) == words


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [("0 %", -0.0004, "0 %"), ("0", 0.0, "0"), ("2 %", -0.02, "−2 %"), ("0.0012", 0.0012, "+0.0012")],
)
def test_a_difference_has_a_sign_unless_it_is_shown_as_zero(text: str, value: float, words: str) -> None:
    assert signed(text, value) == words

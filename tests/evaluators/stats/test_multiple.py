from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from evaluators.stats.multiple import comparison_note, holm


def test_holm_equals_statsmodels() -> None:
    p_values = np.random.default_rng(1).uniform(size=12) ** 3
    theirs = multipletests(p_values, method="holm")[1]
    assert holm(p_values.tolist()) == pytest.approx(tuple(theirs))


def test_no_p_value_needs_no_adjusting() -> None:
    assert holm([]) == ()
    assert holm([0.04]) == (0.04,)


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|finite"):
        holm(bad)


def test_the_note_says_how_likely_a_false_alarm_is() -> None:
    assert "40%" in comparison_note(10)
    assert comparison_note(1) == ""
    with pytest.raises(ValueError, match="nothing"):
        comparison_note(0)

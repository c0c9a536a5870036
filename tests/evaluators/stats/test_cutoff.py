"""The cut-off is found where it is, not found where there is none, and its interval covers."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.stats.cutoff import DatedAnswer, find_cutoff

MONTHS = [f"{year}-{month:02}" for year in range(2014, 2026) for month in (1, 4, 7, 10)]


def answers(rng: np.random.Generator, last: str, share: float) -> list[DatedAnswer]:
    chances = [share if month <= last else 0.25 for month in MONTHS]
    return [DatedAnswer(m, bool(rng.random() < c), 0.25) for m, c in zip(MONTHS, chances, strict=True)]


def test_a_sharp_end_is_found() -> None:
    exact = [DatedAnswer(m, m <= "2020-07", 0.25) for m in MONTHS]
    found = find_cutoff(exact)
    assert (found.last, found.share_before, found.is_open) == ("2020-07", 1.0, False)
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest <= "2020-07" <= found.latest < "2021-07"


def test_a_model_that_knows_everything_has_no_end() -> None:
    found = find_cutoff([DatedAnswer(m, True, 0.25) for m in MONTHS])
    assert found.is_open
    assert found.last == MONTHS[-1]


def test_a_model_that_guesses_has_no_cut_off() -> None:
    rng = np.random.default_rng(1)
    found = [find_cutoff(answers(rng, "", 0.25)).last for _ in range(200)]
    assert sum(last is not None for last in found) <= 20


def test_the_interval_covers_the_true_end() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        found = find_cutoff(answers(rng, "2020-07", 0.8))
        assert found.last is not None
        assert found.earliest is not None
        assert found.latest is not None
        covered += found.earliest <= "2020-07" <= found.latest
    assert covered >= 180


def test_nothing_to_go_by_is_refused() -> None:
    with pytest.raises(ValueError, match="chance"):
        find_cutoff([])

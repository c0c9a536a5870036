"""Draws: exact in distribution, keyed by nothing but their key, and steady under rounding."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from workbench.engine.draws import DrawKey, draw, exponential_times

CPU = torch.device("cpu")
VOCABULARY = 49_152


def keys(count: int, seed: int = 0) -> list[DrawKey]:
    return [DrawKey.of(seed, 0, step) for step in range(count)]


def test_keys_differ_by_seed_choice_and_step() -> None:
    made = {
        DrawKey.of(seed, choice, step) for seed in range(20) for choice in range(5) for step in range(200)
    }
    assert len(made) == 20 * 5 * 200
    assert DrawKey.of(-(2**63), 0, 0) != DrawKey.of(2**63 - 1, 0, 0)


def test_the_times_of_a_draw_are_exponential_and_positive() -> None:
    for row in exponential_times(keys(8), VOCABULARY, CPU).numpy():
        assert row.min() > 0
        assert stats.kstest(row, "expon").pvalue > 1e-4


def test_one_tokens_times_are_exponential_over_steps_and_over_seeds() -> None:
    by_step = exponential_times(keys(20_000), 12, CPU).numpy()
    by_seed = exponential_times([DrawKey.of(seed, 0, 0) for seed in range(20_000)], 12, CPU).numpy()
    for token in range(12):
        assert stats.kstest(by_step[:, token], "expon").pvalue > 1e-4
        assert stats.kstest(by_seed[:, token], "expon").pvalue > 1e-4


def test_neighbouring_steps_and_neighbouring_tokens_are_independent() -> None:
    uniforms = np.exp(-exponential_times(keys(20_000), 12, CPU).numpy())
    cells = np.minimum((uniforms * 8).astype(int), 7)
    pairs = {
        "steps": (cells[:-1].ravel(), cells[1:].ravel()),
        "tokens": (cells[:, :-1].ravel(), cells[:, 1:].ravel()),
    }
    for first, second in pairs.values():
        counts = np.bincount(first * 8 + second, minlength=64)
        assert stats.chisquare(counts).pvalue > 1e-4


def test_a_row_is_the_same_alone_and_among_others() -> None:
    together = exponential_times(keys(5), 1000, CPU)
    alone = [exponential_times([key], 1000, CPU)[0] for key in keys(5)]
    assert torch.equal(together, torch.stack(alone))


def test_a_seed_keeps_its_meaning_from_version_to_version() -> None:
    probabilities = torch.softmax(torch.linspace(-2, 2, 32000), dim=0).expand(6, -1)
    assert draw(probabilities, keys(6, seed=7)).tolist() == [27016, 26721, 23090, 25215, 27734, 8570]


def test_what_is_impossible_is_never_drawn() -> None:
    probabilities = torch.tensor([[0.0, 0.25, 0.0, 0.75]]).expand(5000, -1)
    assert set(draw(probabilities, keys(5000)).tolist()) == {1, 3}


def test_rounding_changes_a_draw_only_where_two_tokens_arrive_together() -> None:
    randomness = torch.Generator().manual_seed(0)
    logits = torch.randn(120, VOCABULARY, generator=randomness) * 2.2
    moved = logits + torch.randn(120, VOCABULARY, generator=randomness) * 1e-4
    one, other = (draw(torch.softmax(scores, dim=-1), keys(120)) for scores in (logits, moved))
    differ = (one != other).nonzero()[:, 0]
    assert len(differ) <= 1
    race = logits - exponential_times(keys(120), VOCABULARY, CPU).log()
    best = race[differ].topk(2, dim=-1).values
    assert bool((best[:, 0] - best[:, 1] < 1e-3).all())

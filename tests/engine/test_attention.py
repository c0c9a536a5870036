"""Attention over shared key heads, and which rows attend together."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.attention import RUN_TOKENS, grouped_attention, runs


@pytest.mark.parametrize(("rows", "count"), [(3, 1), (1, 5), (2, 5)])
def test_shared_key_heads_give_what_repeated_ones_give(rows: int, count: int) -> None:
    torch.manual_seed(0)
    query, keys, values = (
        torch.randn(rows, count, 6, 8),
        torch.randn(rows, 2, 9, 8),
        torch.randn(rows, 2, 9, 8),
    )
    mask = torch.zeros(rows, 1, count, 9).masked_fill_(torch.rand(rows, 1, count, 9) < 0.3, float("-inf"))
    mask[..., 0] = 0
    seen = grouped_attention(query, keys, values, mask, 0.3)
    scores = query.transpose(1, 2) @ keys.repeat_interleave(3, 1).transpose(2, 3) * 0.3 + mask
    expected = (scores.softmax(-1) @ values.repeat_interleave(3, 1)).transpose(1, 2)
    assert torch.allclose(seen, expected, atol=1e-5)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=20))
def test_runs_cover_every_row_once_and_cost_no_more_than_one_call_or_one_for_each(lengths: list[int]) -> None:
    found = runs(lengths)
    assert (found[0][0], found[-1][1]) == (0, len(lengths))
    assert all(first < end for first, end in found)
    assert all(before[1] == after[0] for before, after in pairwise(found))

    def cost(divided: list[tuple[int, int]]) -> int:
        return sum(RUN_TOKENS + (end - first) * max(lengths[first:end]) for first, end in divided)

    alone = [(row, row + 1) for row in range(len(lengths))]
    assert cost(found) <= min(cost([(0, len(lengths))]), cost(alone))


def test_rows_of_about_one_length_attend_together_and_a_long_one_alone() -> None:
    assert runs([200, 210, 190, 1500, 205]) == [(0, 3), (3, 4), (4, 5)]

"""Attention on a CPU: key heads that several query heads share, and rows that are read to about their own length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

RUN_TOKENS = 128
"""What one more call of the kernel in every layer costs, in keys of padding that could be read instead."""


def runs(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring rows that are best attended in one call, padded to the longest of them, as (first, end).

    Rows of a batch stand at different lengths, and a call reads all of its rows to the same one: the cheapest division
    weighs what padding reads in vain against the calls, each as dear as RUN_TOKENS keys of one row.
    """
    cheapest: list[tuple[int, int]] = [(0, 0)]  # cost of the first rows, and where their last run begins
    for end in range(1, len(lengths) + 1):
        longest, options = 0, []
        for first in reversed(range(end)):
            longest = max(longest, lengths[first])
            options.append((cheapest[first][0] + RUN_TOKENS + (end - first) * longest, first))
        cheapest.append(min(options))
    found, end = [], len(lengths)
    while end:
        first = cheapest[end][1]
        found.append((first, end))
        end = first
    return found[::-1]


def grouped_attention(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, scale: float
) -> torch.Tensor:
    """Attention where several query heads share a key head, without repeating keys: [rows, q, heads, head_dim].

    Args:
        query: [rows, q, heads, head_dim].
        keys: [rows, key heads, length, head_dim].
        values: [rows, key heads, length, head_dim].
        mask: additive [rows, 1, q, length].
        scale: of the products.
    """
    rows, count, heads, width = query.shape
    shared = keys.shape[1]
    if count == 1:  # the queries of one key head stand where several positions of one head would
        grouped = query.reshape(rows, shared, heads // shared, width)
        seen = _flash(grouped, keys, values, mask, scale)
        return seen.reshape(rows, 1, heads, width)
    grouped = query.transpose(1, 2)
    if rows == 1 and heads != shared:  # key heads as rows, the queries of each as its heads
        grouped = grouped.reshape(shared, heads // shared, count, width)
        keys = keys[0].unsqueeze(1).expand(-1, heads // shared, -1, -1)
        values = values[0].unsqueeze(1).expand(-1, heads // shared, -1, -1)
    elif heads != shared:
        keys, values = (x.repeat_interleave(heads // shared, dim=1) for x in (keys, values))
    seen = _flash(grouped, keys, values, mask, scale)
    return seen.reshape(rows, heads, count, width).transpose(1, 2)


def _flash(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, scale: float
) -> torch.Tensor:
    return functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale)

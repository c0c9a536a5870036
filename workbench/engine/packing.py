"""Prompts that are only scored, laid out in one row: a beginning that several share is read once.

The choices of one question differ in their last few tokens, and so do the two halves of a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch


class Packed(NamedTuple):
    """A tree of tokens in one row; a token is one of several prompts' where they begin alike."""

    ids: torch.Tensor
    """int64 [q]."""
    positions: torch.Tensor
    """Of each token in its prompts, int64 [q]."""
    sees: torch.Tensor
    """Which tokens stand before each one in its prompts, itself among them: bool [q, q]."""
    kept: torch.Tensor
    """The tokens whose logits are asked for, ascending, int64 [k]."""
    order: torch.Tensor
    """Where among `kept` the logits of each prompt's positions are, prompt after prompt, int64 [sum of counts]."""


def pack(
    prompts: Sequence[Sequence[int]], starts: Sequence[int], scopes: Sequence[str], device: torch.device
) -> Packed:
    """The prompts in one row; asked for are each one's positions from its start on, but the last.

    Only prompts of one scope share tokens: whose prompts begin alike must not show in another's time.
    """
    children: dict[tuple[int | str, int], int] = {}
    paths: list[list[int]] = []
    for prompt, scope in zip(prompts, scopes, strict=True):
        before: int | str = scope
        path: list[int] = []
        for token in prompt:
            before = children.setdefault((before, token), len(children))
            path.append(before)
        paths.append(path)
    count = len(children)
    positions = torch.zeros(count, dtype=torch.int64)
    sees = torch.zeros(count, count, dtype=torch.bool)
    for path in paths:
        own = torch.tensor(path)
        positions[own] = torch.arange(len(path))
        sees[own.unsqueeze(1), own] = torch.ones(len(path), len(path), dtype=torch.bool).tril()
    asked = torch.tensor([n for path, start in zip(paths, starts, strict=True) for n in path[start:-1]])
    kept, order = torch.unique(asked, return_inverse=True)
    ids = torch.tensor([token for _, token in children])
    return Packed(*(part.to(device) for part in (ids, positions, sees, kept, order)))

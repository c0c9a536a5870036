"""Rows to padded tensors: one window a row and epoch, batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from guard.embedded.encoder import CATEGORY_COUNT, padded
from guard.embedded.tokens import token_ids
from guard.embedded.views import clean
from guard.embedded.windows import SEP_ID, Window, prompt_windows, response_windows
from guard.training.disguise import disguised
from guard.training.rows import Row

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TRAINING_TOKENS = 96
TOKENS_PER_BATCH = 1536
MOST_ROWS_PER_BATCH = 48


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs as `GuardNetwork.forward` takes them, and targets, for n rows."""

    ids: Tensor
    segments: Tensor
    mask: Tensor
    is_response: Tensor  # bool [n]
    is_unsafe: Tensor  # float32 [n]
    categories: Tensor  # float32 [n, 14]: a distribution, or zeros where unknown
    weights: Tensor  # float32 [n]


def _altered(row: Row, chance: random.Random) -> Row:
    if row.response is not None:
        return row
    return replace(row, prompt=disguised(row.prompt, chance))


def _chosen_window(prompt: list[int], response: list[int] | None, chance: random.Random) -> Window:
    """The first window of a text in six of ten draws, else any."""
    windows = prompt_windows(prompt) if response is None else response_windows(prompt, response)
    return _shortened(windows[0] if chance.random() < 0.6 else chance.choice(windows))


def _shortened(window: Window) -> Window:
    """At most `TRAINING_TOKENS` of a window: attention to positions carries over to the few after them."""
    if len(window.ids) <= TRAINING_TOKENS:
        return window
    ids = (*window.ids[: TRAINING_TOKENS - 1], SEP_ID)
    return replace(window, ids=ids, user_length=min(window.user_length, TRAINING_TOKENS))


def epoch_windows(rows: Sequence[Row], tokenizer: Tokenizer, chance: random.Random) -> list[Window]:
    """One window a row, its text possibly disguised."""
    altered = [_altered(row, chance) for row in rows]
    prompts = token_ids(tokenizer, [clean(row.prompt) for row in altered])
    responses = token_ids(tokenizer, [clean(row.response or "") for row in altered])
    return [
        _chosen_window(prompt, response if row.response is not None else None, chance)
        for row, prompt, response in zip(altered, prompts, responses, strict=True)
    ]


def _targets(rows: Sequence[Row]) -> Tensor:
    targets = torch.zeros(len(rows), CATEGORY_COUNT)
    for number, row in enumerate(rows):
        for category in row.categories:
            targets[number, category] = 1 / len(row.categories)
    return targets


def _batch(rows: Sequence[Row], windows: Sequence[Window]) -> Batch:
    ids, segments, mask = padded(windows)
    return Batch(
        ids,
        segments,
        mask,
        torch.tensor([row.response is not None for row in rows]),
        torch.tensor([float(row.is_unsafe) for row in rows]),
        _targets(rows),
        torch.tensor([row.weight for row in rows]),
    )


def _cut(order: Sequence[int], windows: Sequence[Window]) -> Iterator[list[int]]:
    """Runs of `order` whose padded size stays within the limits."""
    run: list[int] = []
    longest = 0
    for number in order:
        longest = max(longest, len(windows[number].ids))
        if run and (longest * (len(run) + 1) > TOKENS_PER_BATCH or len(run) == MOST_ROWS_PER_BATCH):
            yield run
            run, longest = [], len(windows[number].ids)
        run.append(number)
    if run:
        yield run


def epoch_batches(rows: Sequence[Row], windows: Sequence[Window], chance: random.Random) -> list[Batch]:
    """The rows in batches of similar length (shuffled within about 8 tokens), the batches in random order."""
    order = sorted(range(len(rows)), key=lambda number: len(windows[number].ids) // 8 + chance.random())
    runs = list(_cut(order, windows))
    chance.shuffle(runs)
    return [_batch([rows[n] for n in run], [windows[n] for n in run]) for run in runs]

"""Fine-tuning: masked binary losses for prompts and answers, a hazard loss on rows that name their hazard."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from guard.embedded.encoder import CATEGORY_COUNT, GuardNetwork
from guard.training.batches import Batch, epoch_batches, epoch_windows
from guard.training.rows import Row

if TYPE_CHECKING:
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

STEPS_PER_CHECKPOINT = 400


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    seed: int = 20
    epochs: int = 4
    frozen_layers: int = 2  # of six, with the embeddings
    encoder_rate: float = 1.2e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9  # of the rate, from each layer to the one below
    weight_decay: float = 0.01
    warmup: float = 0.06  # share of all steps
    smoothing: float = 0.02  # a label counts as 0.02 or 0.98
    category_weight: float = 0.3
    own_share: float = 0.5  # of our own prompts, drawn anew each epoch: they are many, short and alike
    answer_share: float = 0.5  # of the answers, likewise: they are long
    minutes: float | None = None  # stops early, on a schedule bent to end there; None repeats exactly


def seed_everything(seed: int) -> random.Random:
    """Seeds torch and gives the source of all other draws."""
    torch.manual_seed(seed)
    return random.Random(seed)


def parameter_groups(network: GuardNetwork, recipe: Recipe) -> list[dict[str, object]]:
    """Optimiser groups: heads at their own rate, each trained layer at a rate that falls with its depth."""
    heads = [network.prompt_head, network.response_head, network.category_head]
    groups: list[dict[str, object]] = [
        {"params": [p for head in heads for p in head.parameters()], "lr": recipe.head_rate}
    ]
    depth = len(network.layers)
    for number in range(recipe.frozen_layers, depth):
        rate = recipe.encoder_rate * recipe.layer_decay ** (depth - 1 - number)
        groups.append({"params": list(network.layers[number].parameters()), "lr": rate})
    return groups


def category_balance(rows: Sequence[Row]) -> Tensor:
    """Loss weight of each hazard [14]: the inverse square root of its count, one on average."""
    counts = Counter(category for row in rows for category in row.categories)
    weights = torch.tensor([max(counts[number], 1) ** -0.5 for number in range(CATEGORY_COUNT)])
    return weights / weights.mean()


def batch_loss(network: GuardNetwork, batch: Batch, balance: Tensor, recipe: Recipe) -> Tensor:
    """Weighted mean of the binary loss plus the hazard loss of one batch."""
    logits = network(batch.ids, batch.segments, batch.mask, recipe.frozen_layers)
    judged = torch.where(batch.is_response, logits.response, logits.prompt)
    target = batch.is_unsafe * (1 - 2 * recipe.smoothing) + recipe.smoothing
    binary = functional.binary_cross_entropy_with_logits(judged, target, batch.weights)
    log_shares = functional.log_softmax(logits.categories, dim=-1)
    named = -(batch.categories * balance * log_shares).sum(-1)
    count = (batch.categories.sum(-1) > 0).sum().clamp(min=1)
    return binary + recipe.category_weight * named.sum() / count


def _on_device(batch: Batch, device: torch.device) -> Batch:
    return Batch(*(getattr(batch, name).to(device) for name in Batch.__slots__))


def epoch_rows(rows: Sequence[Row], recipe: Recipe, chance: random.Random) -> list[Row]:
    """All prompts of the data sets, and the recipe's shares of our own prompts and of all answers."""

    def share(row: Row) -> float:
        if row.response is not None:
            return recipe.answer_share
        return recipe.own_share if row.source.startswith("own/") else 1.0

    return [row for row in rows if chance.random() < share(row)]


def _stream(
    rows: Sequence[Row], tokenizer: Tokenizer, recipe: Recipe, chance: random.Random
) -> Iterator[tuple[float, Batch]]:
    """All batches of all epochs, each with the share of the training done before it."""
    for epoch in range(recipe.epochs):
        drawn = epoch_rows(rows, recipe, chance)
        windows = epoch_windows(drawn, tokenizer, chance)
        batches = epoch_batches(drawn, windows, chance)
        for number, batch in enumerate(batches):
            yield (epoch + number / len(batches)) / recipe.epochs, batch


def _rate_factor(done: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to nothing."""
    return done / warmup if done < warmup else max(0.0, (1 - done) / (1 - warmup))


def fit(
    network: GuardNetwork,
    rows: Sequence[Row],
    tokenizer: Tokenizer,
    recipe: Recipe,
    keep: Callable[[], None] = lambda: None,
) -> float:
    """Trains `network` in place on the device it is on; returns the minutes it took.

    `keep` is called every `STEPS_PER_CHECKPOINT` steps, so that a run that is cut short leaves something.
    """
    device = next(network.parameters()).device
    chance = seed_everything(recipe.seed)
    balance = category_balance(rows).to(device)
    groups = parameter_groups(network, recipe)
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    schedule_base = [group["lr"] for group in optimizer.param_groups]
    started = time.monotonic()
    network.train()
    losses: list[float] = []
    for done, batch in _stream(rows, tokenizer, recipe, chance):
        spent = (time.monotonic() - started) / 60
        if recipe.minutes is not None:
            if spent >= recipe.minutes:
                break
            done = max(done, spent / recipe.minutes)
        for group, rate in zip(optimizer.param_groups, schedule_base, strict=True):
            group["lr"] = rate * _rate_factor(done, recipe.warmup)
        with _mixed_precision(device):
            loss = batch_loss(network, _on_device(batch, device), balance, recipe)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if len(losses) % 100 == 0:
            logger.info("%.1f min, %.1f %% done, loss %.4f", spent, 100 * done, sum(losses[-100:]) / 100)
        if len(losses) % STEPS_PER_CHECKPOINT == 0:
            keep()
    network.eval()
    return (time.monotonic() - started) / 60


def _mixed_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16)

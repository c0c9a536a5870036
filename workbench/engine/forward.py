"""A model's forward pass over rows of the slot cache: what goes in, and transformers' own way through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel

from workbench.engine.masks import Masks
from workbench.engine.slots import Aim, SlotCache


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of a pass: `ids` and `positions` int64 [rows, q], `masks` bool [rows, 1, q, length].

    `aim` says where their keys and values go and what they attend to; None: to each other alone.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    masks: Masks
    aim: Aim | None


class Forward(Protocol):
    """A model's forward pass."""

    def __call__(
        self, part: Part, keep: int | torch.Tensor, cache: SlotCache, beside: Part | None = None
    ) -> torch.Tensor:
        """Logits [rows, kept, V] of the part's last `keep` positions, or of those that `keep` indexes.

        `beside` is read into the cache as well; its logits are not asked for.
        """
        ...


class PlainForward:
    """An unchanged transformers model."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model

    def __call__(
        self, part: Part, keep: int | torch.Tensor, cache: SlotCache, beside: Part | None = None
    ) -> torch.Tensor:
        """Logits [rows, kept, V] of the part's last `keep` positions; what stands beside has a pass of its own."""
        if beside is not None:
            self._once(beside, 1, cache)
        return self._once(part, keep, cache)

    def _once(self, part: Part, keep: int | torch.Tensor, cache: SlotCache) -> torch.Tensor:
        if part.aim is not None:
            cache.aim(part.aim)
        logits: torch.Tensor = self._model(
            input_ids=part.ids,
            attention_mask=part.masks,
            position_ids=part.positions,
            past_key_values=None if part.aim is None else cache,
            use_cache=part.aim is not None,
            logits_to_keep=keep,
        ).logits
        return logits

"""Which positions a query may look at, as explicit masks in the form each transformers model takes.

Masks are bool, True where a query may look, and every row keeps one True. Models that distinguish layer types get a
dict of masks by type: a single tensor would be taken for every layer and switch sliding windows off.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PretrainedConfig

SLOT_LAYER_TYPES = frozenset({"full_attention", "sliding_attention"})
Masks = torch.Tensor | dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """Which masks a model takes: a dict by layer type, or one tensor; `window` is the sliding window in tokens."""

    by_type: bool
    types: frozenset[str]
    window: int | None

    @classmethod
    def of(cls, config: PretrainedConfig) -> MaskPlan | None:
        """The plan for this model; None when a layer type is neither full nor sliding attention."""
        window = getattr(config, "sliding_window", None)
        layer_types = getattr(config, "layer_types", None)
        if getattr(config, "attn_logit_softcapping", None) is not None:
            return None
        if layer_types is None:
            return cls(False, frozenset({"sliding_attention" if window else "full_attention"}), window)
        types = frozenset(layer_types)
        return cls(True, types, window) if types <= SLOT_LAYER_TYPES else None

    def masks(self, positions: torch.Tensor, length: int) -> Masks:
        """What each query at `positions` [rows, q] may see of `length` keys: bool [rows, 1, q, length]."""
        keys = torch.arange(length, device=positions.device)
        at = positions[:, None, :, None]
        return self._by_type(keys <= at, keys, at)

    def packed(self, positions: torch.Tensor, sees: torch.Tensor) -> Masks:
        """The same for prompts that are packed into one row.

        Args:
            positions: of each token in its prompts, int64 [q].
            sees: which tokens are before each one in its prompts, bool [q, q].

        Returns:
            bool [1, 1, q, q].
        """
        keys, at = positions[None, None, None, :], positions[None, None, :, None]
        return self._by_type(sees[None, None], keys, at)

    def _by_type(self, full: torch.Tensor, keys: torch.Tensor, at: torch.Tensor) -> Masks:
        made = {"full_attention": full}
        if "sliding_attention" in self.types:
            made["sliding_attention"] = full & (keys > at - self.window) if self.window else full
        if self.by_type:
            return {kind: made[kind] for kind in self.types}
        return made[next(iter(self.types))]

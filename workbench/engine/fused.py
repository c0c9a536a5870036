"""One flat forward pass for the Llama family on a CPU: transformers' arithmetic in about half as many operations.

A small model's step on a CPU is spent between the operations, not in them. Here queries, keys and values are one
product, so are gate and up, and no module is called that only calls others. Weights are not doubled: transformers' own
modules become slices of the merged ones, so the model itself still runs, and the self-check at load compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from workbench.engine.masks import Masks
from workbench.engine.slots import SlotCache

FAMILY = frozenset({"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"})


class Slice(nn.Module):
    """Some outputs of a merged linear layer."""

    def __init__(self, merged: nn.Module, start: int, end: int) -> None:
        super().__init__()
        self.merged = merged
        self.start, self.end = start, end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs start .. end of the merged product with `x` [..., inputs]."""
        product: torch.Tensor = self.merged(x)
        return product[..., self.start : self.end]


def can_fuse(model: PreTrainedModel) -> bool:
    """True for the models whose layers are known here, in float32 and in one piece on a CPU."""
    is_known = type(model).__name__ in FAMILY and getattr(model.config, "hidden_act", "") == "silu"
    weights = list(model.parameters())
    is_plain = all(w.device.type == "cpu" and w.dtype == torch.float32 for w in weights)
    return is_known and is_plain and not getattr(model, "is_quantized", False)


def merge_projections(model: PreTrainedModel) -> None:
    """Merges query, key and value, and gate and up, in place; the old layers become slices of the new ones."""
    for layer in model.model.layers:
        _merge(layer.self_attn, ("q_proj", "k_proj", "v_proj"))
        _merge(layer.mlp, ("gate_proj", "up_proj"))


def is_merged(model: PreTrainedModel) -> bool:
    """True after `merge_projections`."""
    return any(isinstance(module, Slice) for module in model.modules())


def _merge(parent: nn.Module, names: tuple[str, ...]) -> None:
    parts = [getattr(parent, name) for name in names]
    outputs = [part.out_features for part in parts]
    with torch.device("meta"):
        merged = nn.Linear(parts[0].in_features, sum(outputs), bias=parts[0].bias is not None)
    merged.weight = nn.Parameter(torch.cat([part.weight for part in parts]), requires_grad=False)
    if parts[0].bias is not None:
        merged.bias = nn.Parameter(torch.cat([part.bias for part in parts]), requires_grad=False)
    start = 0
    for name, count in zip(names, outputs, strict=True):
        setattr(parent, name, Slice(merged, start, start + count))
        start += count


@dataclass(frozen=True, slots=True)
class _Pass:
    """What all layers of one forward pass share. `cos`, `sin` [rows, q, 1, head_dim], the first half of sin negated."""

    cos: torch.Tensor
    sin: torch.Tensor
    masks: dict[str, torch.Tensor]
    cache: SlotCache | None


class FusedDecoder:
    """Forward passes over a model whose projections were merged."""

    def __init__(self, model: PreTrainedModel) -> None:
        base = model.model
        kinds = getattr(model.config, "layer_types", None) or ["any"] * len(base.layers)
        self._embedding = base.embed_tokens.weight
        self._rotary = base.rotary_emb
        self._norm = _norm(base.norm)
        self._head = model.lm_head
        self._layers = [
            _Layer(layer, index, kind)
            for index, (layer, kind) in enumerate(zip(base.layers, kinds, strict=True))
        ]

    def __call__(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        masks: Masks,
        keep: int | torch.Tensor,
        cache: SlotCache | None,
    ) -> torch.Tensor:
        """Logits float32 [rows, kept, V] of the last `keep` positions, or of those that `keep` indexes.

        Args:
            ids: int64 [rows, q].
            positions: int64 [rows, q].
            masks: bool [rows, 1, q, length], by layer type or for all layers.
            keep: how many, or which.
            cache: where keys and values go and what is attended comes from; None attends to the pass itself.
        """
        hidden = functional.embedding(ids, self._embedding)
        cos, sin = self._rotary(hidden, positions)
        half = sin.shape[-1] // 2
        sin = torch.cat((-sin[..., :half], sin[..., half:]), dim=-1)
        by_kind = masks if isinstance(masks, dict) else {"any": masks}
        shared = _Pass(
            cos.unsqueeze(2),
            sin.unsqueeze(2),
            {kind: _additive(mask) for kind, mask in by_kind.items()},
            cache,
        )
        for layer in self._layers:
            hidden = layer(hidden, shared)
        kept = hidden[:, -keep:] if isinstance(keep, int) else hidden[:, keep]
        logits: torch.Tensor = self._head(self._norm(kept))
        return logits


class _Layer:
    """One decoder layer."""

    def __init__(self, layer: Any, index: int, kind: str) -> None:
        attention = layer.self_attn
        self._index, self._kind = index, kind
        self._head_dim, self._groups = attention.head_dim, attention.num_key_value_groups
        self._query_width = attention.q_proj.end
        self._queries = attention.q_proj.end // attention.head_dim
        self._rotated = attention.k_proj.end // attention.head_dim  # query and key heads
        self._scale = attention.scaling
        self._qkv, self._out = attention.q_proj.merged, attention.o_proj
        self._gate_up, self._down = layer.mlp.gate_proj.merged, layer.mlp.down_proj
        self._norm_in, self._norm_mid = _norm(layer.input_layernorm), _norm(layer.post_attention_layernorm)
        self._norm_query = _norm(attention.q_norm) if hasattr(attention, "q_norm") else None
        self._norm_key = _norm(attention.k_norm) if hasattr(attention, "k_norm") else None

    def __call__(self, hidden: torch.Tensor, shared: _Pass) -> torch.Tensor:
        """Hidden states [rows, q, width]; changes them in place."""
        hidden += self._out(self._attend(self._norm_in(hidden), shared))
        gate, up = self._gate_up(self._norm_mid(hidden)).chunk(2, dim=-1)
        hidden += self._down(functional.silu(gate).mul_(up))
        return hidden

    def _attend(self, normed: torch.Tensor, shared: _Pass) -> torch.Tensor:
        rows, count, _ = normed.shape
        heads = self._qkv(normed).view(rows, count, -1, self._head_dim)
        rotated, value = heads[:, :, : self._rotated], heads[:, :, self._rotated :]
        if self._norm_query is not None and self._norm_key is not None:
            query, key = rotated[:, :, : self._queries], rotated[:, :, self._queries :]
            rotated = torch.cat((self._norm_query(query), self._norm_key(key)), dim=2)
        turned = torch.roll(rotated, self._head_dim // 2, dims=-1)
        rotated = torch.addcmul(rotated * shared.cos, turned, shared.sin)
        keys, values = rotated[:, :, self._queries :].transpose(1, 2), value.transpose(1, 2)
        if shared.cache is not None:
            keys, values = shared.cache.layers[self._index].update(keys, values)
        seen = grouped_attention(
            rotated[:, :, : self._queries], keys, values, shared.masks[self._kind], self._scale
        )
        return seen.reshape(rows, count, self._query_width)


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


def _additive(mask: torch.Tensor) -> torch.Tensor:
    """0 where a bool mask is True, else -inf: what the attention kernel would make of it in every layer."""
    return torch.zeros(mask.shape, dtype=torch.float32, device=mask.device).masked_fill_(~mask, float("-inf"))


@dataclass(frozen=True, slots=True)
class _Norm:
    """Root-mean-square normalisation (Zhang and Sennrich 2019, eq. 4) over the last dimension."""

    weight: torch.Tensor
    epsilon: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """`x`, normalised and weighted."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def _norm(module: Any) -> _Norm:
    return _Norm(module.weight, module.variance_epsilon)

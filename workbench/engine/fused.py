"""One flat forward pass for the Llama family on a CPU: transformers' arithmetic in about half as many operations.

A small model's step on a CPU is spent between the operations, not in them. Here queries, keys and values are one
product, so are gate and up, and no module is called that only calls others. Weights are not doubled: transformers' own
modules become slices of the merged ones, so the model itself still runs, and the self-check at load compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from workbench.engine.attention import grouped_attention, runs
from workbench.engine.forward import Part
from workbench.engine.slots import Aim, SlotCache

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


def is_known(model: PreTrainedModel) -> bool:
    """True for the models whose layers are known here, as they come from their checkpoint."""
    return type(model).__name__ in FAMILY and not getattr(model, "is_quantized", False)


def can_fuse(model: PreTrainedModel) -> bool:
    """True for the models whose layers are known here, in float32 and in one piece on a CPU."""
    is_plain = all(w.device.type == "cpu" and w.dtype == torch.float32 for w in model.parameters())
    return is_known(model) and is_plain and getattr(model.config, "hidden_act", "") == "silu"


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
class _Run:
    """Neighbouring rows [first, end) of a part that attend together to their first `length` keys.

    `masks` additive [rows, 1, q, length], by layer type.
    """

    first: int
    end: int
    length: int
    masks: dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A part of a flat pass: its shape [rows, q], where its keys and values go, and who attends together."""

    rows: int
    count: int
    aim: Aim | None
    runs: tuple[_Run, ...]


@dataclass(frozen=True, slots=True)
class _Pass:
    """What all layers of one pass share. `cos`, `sin` [tokens, 1, head_dim], the first half of sin negated."""

    cos: torch.Tensor
    sin: torch.Tensor
    parts: tuple[_Placed, ...]
    sizes: list[int]
    cache: SlotCache


class FusedDecoder:
    """Forward passes over a model whose projections were merged.

    The tokens of all parts stand one after the other, so that what is read beside the decoding rows reads the weights
    with them; only attention looks at the parts one by one.
    """

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
        self, part: Part, keep: int | torch.Tensor, cache: SlotCache, beside: Part | None = None
    ) -> torch.Tensor:
        """Logits float32 [rows, kept, V] of the part's last `keep` positions, or of those that `keep` indexes."""
        parts = (part,) if beside is None else (part, beside)
        hidden = functional.embedding(_flat([one.ids for one in parts]), self._embedding)
        positions = _flat([one.positions for one in parts])
        cos, sin = (x[0].unsqueeze(1) for x in self._rotary(hidden, positions.unsqueeze(0)))
        half = sin.shape[-1] // 2
        sin = torch.cat((-sin[..., :half], sin[..., half:]), dim=-1)
        shared = _Pass(
            cos, sin, tuple(_placed(one) for one in parts), [one.ids.numel() for one in parts], cache
        )
        for layer in self._layers:
            hidden = layer(hidden, shared)
        own = hidden[: part.ids.numel()].view(*part.ids.shape, -1)
        kept = own[:, -keep:] if isinstance(keep, int) else own[:, keep]
        logits: torch.Tensor = self._head(self._norm(kept))
        return logits


def _flat(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0].flatten() if len(tensors) == 1 else torch.cat([tensor.flatten() for tensor in tensors])


def _placed(part: Part) -> _Placed:
    rows, count = part.ids.shape
    by_kind = part.masks if isinstance(part.masks, dict) else {"any": part.masks}
    masks = {kind: _additive(mask) for kind, mask in by_kind.items()}
    if part.aim is None or count > 1 or rows == 1:
        length = next(iter(masks.values())).shape[-1]
        return _Placed(rows, count, part.aim, (_Run(0, rows, length, masks),))
    lengths = [position + 1 for position in part.positions[:, 0].tolist()]
    divided = []
    for first, end in runs(lengths):
        length = max(lengths[first:end])
        own = {kind: mask[first:end, ..., :length] for kind, mask in masks.items()}
        divided.append(_Run(first, end, length, own))
    return _Placed(rows, count, part.aim, tuple(divided))


def _additive(mask: torch.Tensor) -> torch.Tensor:
    """0 where a bool mask is True, else -inf: what the attention kernel would make of it in every layer."""
    return torch.zeros(mask.shape, dtype=torch.float32, device=mask.device).masked_fill_(~mask, float("-inf"))


class _Layer:
    """One decoder layer."""

    def __init__(self, layer: Any, index: int, kind: str) -> None:
        attention = layer.self_attn
        self._index, self._kind = index, kind
        self._head_dim = attention.head_dim
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
        """Hidden states [tokens, width]; changes them in place."""
        hidden += self._out(self._attend(self._norm_in(hidden), shared))
        gate, up = self._gate_up(self._norm_mid(hidden)).chunk(2, dim=-1)
        hidden += self._down(functional.silu(gate).mul_(up))
        return hidden

    def _attend(self, normed: torch.Tensor, shared: _Pass) -> torch.Tensor:
        heads = self._qkv(normed).view(normed.shape[0], -1, self._head_dim)
        rotated, value = heads[:, : self._rotated], heads[:, self._rotated :]
        if self._norm_query is not None and self._norm_key is not None:
            query, key = rotated[:, : self._queries], rotated[:, self._queries :]
            rotated = torch.cat((self._norm_query(query), self._norm_key(key)), dim=1)
        turned = torch.roll(rotated, self._head_dim // 2, dims=-1)
        rotated = torch.addcmul(rotated * shared.cos, turned, shared.sin)
        seen: list[torch.Tensor] = []
        states = torch.split(rotated, shared.sizes), torch.split(value, shared.sizes)
        for part, turned_part, value_part in zip(shared.parts, *states, strict=True):
            seen += self._seen(part, turned_part, value_part, shared.cache)
        return seen[0] if len(seen) == 1 else torch.cat(seen)

    def _seen(
        self, part: _Placed, rotated: torch.Tensor, value: torch.Tensor, cache: SlotCache
    ) -> Iterator[torch.Tensor]:
        """What the tokens of a part attend to, a tensor [tokens, query width] for each run of its rows."""
        shape = (part.rows, part.count, -1, self._head_dim)
        query = rotated[:, : self._queries].view(shape)
        keys, values = (states.view(shape).transpose(1, 2) for states in (rotated[:, self._queries :], value))
        if part.aim is not None:
            keys, values = cache.layers[self._index].put(keys, values, part.aim)
        for run in part.runs:
            rows, mask = slice(run.first, run.end), run.masks[self._kind]
            near, far = keys[rows, :, : run.length], values[rows, :, : run.length]
            yield grouped_attention(query[rows], near, far, mask, self._scale).reshape(-1, self._query_width)


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

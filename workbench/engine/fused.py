"""One flat forward pass for the Llama family on a CPU: transformers' arithmetic in about half as many operations.

A small model's step on a CPU is spent between the operations, not in them. Here queries, keys and values are one
product, so are gate and up, and no module is called that only calls others. Weights are not doubled: transformers' own
modules become slices of the merged ones, so the model itself still runs, and the self-check at load compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from workbench.engine.attention import grouped_attention, runs
from workbench.engine.forward import Part
from workbench.engine.int8 import Int8Linear
from workbench.engine.layer import DOWN, OUT, QKV, LayerPass, LayerShape, layer_pass
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
    """What the attention of all layers of one pass shares; `sizes` counts the parts' tokens."""

    parts: tuple[_Placed, ...]
    sizes: list[int]
    cache: SlotCache


class FusedDecoder:
    """Forward passes over a model whose projections were merged.

    The tokens of all parts stand one after the other, so that what is read beside the decoding rows reads the weights
    with them; only attention looks at the parts one by one.
    """

    def __init__(self, model: PreTrainedModel, compiled: LayerPass | None = None) -> None:
        base = model.model
        kinds = getattr(model.config, "layer_types", None) or ["any"] * len(base.layers)
        self._embedding = base.embed_tokens.weight
        self._rotary = base.rotary_emb
        self._norm = base.norm
        self._head = model.lm_head
        self._layers = [
            _Layer(layer, index, kind)
            for index, (layer, kind) in enumerate(zip(base.layers, kinds, strict=True))
        ]
        self.shape = self._layers[0].shape
        self.is_compiled = compiled is not None
        self._pass = compiled or partial(layer_pass, self.shape)

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
        shared = _Pass(tuple(_placed(one) for one in parts), [one.ids.numel() for one in parts], cache)
        for layer in self._layers:
            attend = partial(layer.attend, shared=shared)
            hidden = self._pass((hidden, cos, sin), layer.weights, layer.product, attend)
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
    """One decoder layer: its weights, and its own attention."""

    def __init__(self, layer: Any, index: int, kind: str) -> None:
        attention = layer.self_attn
        linears = (attention.q_proj.merged, attention.o_proj, layer.mlp.gate_proj.merged, layer.mlp.down_proj)
        self.shape = _shape(layer, linears)
        self._index, self._kind = index, kind
        self._scale = attention.scaling
        self._products = [getattr(linear, "product", linear) for linear in linears]
        norms = [layer.input_layernorm, layer.post_attention_layernorm]
        if self.shape.has_head_norms:
            norms += [attention.q_norm, attention.k_norm]
        biases = [linear.bias for linear, has in zip(linears, self.shape.biases, strict=True) if has]
        self.weights = [norm.weight.detach() for norm in norms] + biases

    def product(self, x: torch.Tensor, which: int) -> torch.Tensor:
        """The linear layer of this number, on what `layer_pass` gives it."""
        made: torch.Tensor = self._products[which](x)
        return made

    def attend(self, rotated: torch.Tensor, value: torch.Tensor, shared: _Pass) -> torch.Tensor:
        """What each token sees [tokens, query width], of turned queries and keys, and of values."""
        if len(shared.parts) == 1:
            seen = list(self._seen(shared.parts[0], rotated, value, shared.cache))
            return seen[0] if len(seen) == 1 else torch.cat(seen)
        seen = []
        states = torch.split(rotated, shared.sizes), torch.split(value, shared.sizes)
        for part, turned_part, value_part in zip(shared.parts, *states, strict=True):
            seen += self._seen(part, turned_part, value_part, shared.cache)
        return torch.cat(seen)

    def _seen(
        self, part: _Placed, rotated: torch.Tensor, value: torch.Tensor, cache: SlotCache
    ) -> Iterator[torch.Tensor]:
        """What the tokens of a part attend to, a tensor [tokens, query width] for each run of its rows."""
        queries, width = self.shape.queries, self.shape.head_dim
        shape = (part.rows, part.count, -1, width)
        query = rotated[:, :queries].view(shape)
        keys, values = (states.view(shape).transpose(1, 2) for states in (rotated[:, queries:], value))
        if part.aim is not None:
            keys, values = cache.layers[self._index].put(keys, values, part.aim)
        if len(part.runs) == 1 and part.runs[0].length == keys.shape[2]:  # all there is: nothing to cut out
            seen = grouped_attention(query, keys, values, part.runs[0].masks[self._kind], self._scale)
            yield seen.reshape(-1, queries * width)
            return
        for run in part.runs:
            rows, mask = slice(run.first, run.end), run.masks[self._kind]
            near, far = keys[rows, :, : run.length], values[rows, :, : run.length]
            seen = grouped_attention(query[rows], near, far, mask, self._scale)
            yield seen.reshape(-1, queries * width)


def _shape(layer: Any, linears: tuple[Any, Any, Any, Any]) -> LayerShape:
    attention = layer.self_attn
    width, is_int8 = attention.head_dim, isinstance(linears[QKV], Int8Linear)
    qkv, out, gate_up, down = (is_int8 and linear.bias is not None for linear in linears)
    return LayerShape(
        width=linears[OUT].out_features,
        head_dim=width,
        queries=attention.q_proj.end // width,
        keys=(attention.k_proj.end - attention.q_proj.end) // width,
        inner=linears[DOWN].in_features,
        epsilon=layer.input_layernorm.variance_epsilon,
        has_head_norms=hasattr(attention, "q_norm"),
        is_int8=is_int8,
        biases=(qkv, out, gate_up, down),
    )

"""What a decoder layer of the Llama family computes around its four products, written once.

It runs as it stands, operation by operation, or compiled for the processor it is on (`compiled.py`): for a few rows the
operations between the products take longer than the products. The products themselves and attention are given as
functions, since they stay oneDNN's and torch's own, with weights and a cache that no compiler sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional

from workbench.engine.int8 import joined, split_bytes

QKV, OUT, GATE_UP, DOWN = range(4)
Product = Callable[[torch.Tensor, int], torch.Tensor]
"""The linear layer of this number on [n, inputs] (8-bit: on the two bytes [2 n, inputs]): [n or 2 n, outputs]."""
Attend = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""What turned queries and keys [n, heads, head_dim] and values [n, key heads, head_dim] see: [n, query width]."""


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What all layers of one model have in common.

    `queries` and `keys` count heads; `inner` is the width of the gate; `is_int8`: products take 8-bit inputs; `biases`
    says which of the four add one outside their product; `epsilon` is that of the norms.
    """

    width: int
    head_dim: int
    queries: int
    keys: int
    inner: int
    epsilon: float
    has_head_norms: bool
    is_int8: bool
    biases: tuple[bool, bool, bool, bool]

    @property
    def outputs(self) -> tuple[int, int, int, int]:
        """Outputs of the four products."""
        return (self.queries + 2 * self.keys) * self.head_dim, self.width, 2 * self.inner, self.width


class LayerPass(Protocol):
    """`layer_pass` of one shape."""

    def __call__(
        self,
        states: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        weights: Sequence[torch.Tensor],
        product: Product,
        attend: Attend,
    ) -> torch.Tensor:
        """The hidden states [n, width] after the layer."""
        ...


def layer_pass(
    shape: LayerShape,
    states: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    weights: Sequence[torch.Tensor],
    product: Product,
    attend: Attend,
) -> torch.Tensor:
    """The hidden states [n, width] after the layer.

    Args:
        shape: of the layer.
        states: hidden states [n, width]; cosines and sines [n, 1, head_dim] of the positions, the first half of the
            sines negated.
        weights: of the norms before attention and before the gate, those of query and key heads where there are
            such, then the biases that `shape` says.
        product: the layer's products.
        attend: its attention.
    """
    hidden, cos, sin = states
    biases = iter(weights[4 if shape.has_head_norms else 2 :])
    bias = [next(biases) if is_there else None for is_there in shape.biases]

    def linear(x: torch.Tensor, which: int) -> torch.Tensor:
        if not shape.is_int8:
            return product(x, which)
        halves, step = split_bytes(x)
        return joined(product(halves, which), step, bias[which])

    heads = linear(_normed(hidden, weights[0], shape), QKV).view(hidden.shape[0], -1, shape.head_dim)
    rotated, value = heads[:, : shape.queries + shape.keys], heads[:, shape.queries + shape.keys :]
    if shape.has_head_norms:
        query, key = rotated[:, : shape.queries], rotated[:, shape.queries :]
        rotated = torch.cat((_normed(query, weights[2], shape), _normed(key, weights[3], shape)), dim=1)
    half = shape.head_dim // 2
    turned = torch.cat((rotated[..., half:], rotated[..., :half]), dim=-1)
    seen = attend(torch.addcmul(rotated * cos, turned, sin), value)
    hidden = hidden + linear(seen, OUT)
    gate_up = linear(_normed(hidden, weights[1], shape), GATE_UP)
    gate, up = gate_up[:, : shape.inner], gate_up[:, shape.inner :]
    return hidden + linear(functional.silu(gate) * up, DOWN)


def _normed(x: torch.Tensor, weight: torch.Tensor, shape: LayerShape) -> torch.Tensor:
    """Root-mean-square normalisation (Zhang and Sennrich 2019, eq. 4) over the last dimension."""
    return functional.rms_norm(x, weight.shape, weight, shape.epsilon)

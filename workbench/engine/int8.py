"""Linear layers in 8 bits on a CPU: weights with one scale an output, exact integer sums on oneDNN's kernels.

Weights are rounded as LLM.int8 rounds them (Dettmers et al. 2022, "vector-wise quantization"). Inputs are not: a few of
their channels are a hundred times larger than the rest, and 8 bits of such a row lose the others. Each row enters as
two rows of 8 bits instead, what rounding gives and what it leaves, which reads the weights only once. A row's scale is
its own and integer sums do not depend on their order, so a row's result does not depend on its neighbours at all.
"""

from __future__ import annotations

import torch
from torch import nn

from workbench.engine.packed import replace_linears

LEVELS = 127.0
ZERO = 128
FINER = 254.0
"""What rounding leaves, -1/2 .. 1/2 of a level, is itself told in 8 bits: in steps this much finer."""
_SMALLEST = 1e-12
"""Keeps a row of zeros from dividing by zero."""


def has_int8_kernels() -> bool:
    """True where oneDNN sums products of 8-bit numbers in 32 bits: on x86 with VNNI.

    Without VNNI the sums of two products saturate at 16 bits, and the results would be wrong.
    """
    return bool(torch.backends.mkldnn.enabled) and bool(torch.cpu._is_vnni_supported())


class Int8Linear(nn.Module):
    """A linear layer whose weight is int8 [outputs, inputs], packed for oneDNN; float32 in and out."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_(min=_SMALLEST) / LEVELS
        rounded = torch.round(weight / scale.unsqueeze(1)).to(torch.int8)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.register_buffer("weight_scale", scale)
        self.register_buffer("weight_zero", torch.zeros_like(scale, dtype=torch.int32))
        self.register_buffer("packed", torch.ops.onednn.qlinear_prepack(rounded, None))
        bias: torch.Tensor | None = linear.bias  # typed as always there, which it is not
        self.bias = None if bias is None else bias.detach().float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product with `x` [..., inputs]; float32 [..., outputs]."""
        rows = x.reshape(-1, self.in_features)
        count = rows.shape[0]
        largest = torch.linalg.vector_norm(rows, float("inf"), dim=1, keepdim=True)
        step = largest.clamp_(min=_SMALLEST).div_(LEVELS * FINER)
        fine = rows / step
        both = fine.new_empty((2 * count, self.in_features))
        whole = torch.mul(fine, 1 / FINER, out=both[:count]).round_()
        torch.add(fine, whole, alpha=-FINER, out=both[count:])
        # Moved to 1 .. 255, which the kernel takes back: its fast form wants unsigned inputs. Cutting off rounds here.
        moved = both.add_(ZERO + 0.5).to(torch.uint8)
        parts: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            moved, 1.0, ZERO, self.packed, self.weight_scale, self.weight_zero, None, 1.0, 0, torch.float32,
            "none", [], "",
        )  # fmt: skip
        product = torch.add(parts[count:], parts[:count], alpha=FINER).mul_(step)
        if self.bias is not None:
            product += self.bias
        return product.view(*x.shape[:-1], self.out_features)


def quantize_linears(model: nn.Module) -> None:
    """Replaces the model's linear layers in place, the head's too."""
    replace_linears(model, Int8Linear)

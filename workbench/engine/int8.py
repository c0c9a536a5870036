"""Linear layers in 8 bits on a CPU: weights with one scale an output, exact integer sums on oneDNN's kernels.

Weights are rounded as LLM.int8 rounds them (Dettmers et al. 2022, "vector-wise quantization"). Inputs are not: a few of
their channels are a hundred times larger than the rest, and 8 bits of such a row lose the others. Each row is rounded
to 16 bits instead and enters as two rows of 8, its low and its high bytes, which reads the weights only once. A row's
scale is its own and integer sums do not depend on their order, so a row's result does not depend on its neighbours.
"""

from __future__ import annotations

import torch
from torch import nn

from workbench.engine.prepacked import replace_linears

LEVELS = 127.0
ZERO = 128
"""What the kernel takes from every byte of its input: its fast form wants them unsigned."""
HIGH = 256
"""How much a high byte weighs more than a low one."""
_MIDDLE = ZERO * HIGH + ZERO
"""What stands for zero among the numbers 0 .. 65535 of two bytes from each of which ZERO is taken."""
_MOST = 2**16 - 1 - _MIDDLE
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
        step = rows.abs().amax(dim=1, keepdim=True).clamp_(min=_SMALLEST).div_(_MOST)
        # Cutting off rounds here, since nothing is negative. Shifts and narrowing want a signed type of that width.
        levels = (rows / step).add_(_MIDDLE + 0.5).to(torch.uint16).view(torch.int16)
        split = torch.empty((2, *rows.shape), dtype=torch.uint8)
        split[0].copy_(levels)
        split[1].copy_(levels >> 8)
        parts: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            split.flatten(0, 1), 1.0, ZERO, self.packed, self.weight_scale, self.weight_zero, None, 1.0, 0,
            torch.float32, "none", [], "",
        )  # fmt: skip
        product = torch.add(parts[:count], parts[count:], alpha=HIGH).mul_(step)
        if self.bias is not None:
            product += self.bias
        return product.view(*x.shape[:-1], self.out_features)


def quantize_linears(model: nn.Module) -> None:
    """Replaces the model's linear layers in place, the head's too."""
    replace_linears(model, Int8Linear)

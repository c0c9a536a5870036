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
_LOW = HIGH - 1
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

    def product(self, halves: torch.Tensor) -> torch.Tensor:
        """Exact sums, in units of the weights' scale: uint8 [rows, inputs] to float32 [rows, outputs]."""
        sums: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            halves, 1.0, ZERO, self.packed, self.weight_scale, self.weight_zero, None, 1.0, 0,
            torch.float32, "none", [], "",
        )  # fmt: skip
        return sums

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product with `x` [..., inputs]; float32 [..., outputs]."""
        halves, step = split_bytes(x.reshape(-1, self.in_features))
        return joined(self.product(halves), step, self.bias).view(*x.shape[:-1], self.out_features)


def split_bytes(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows [n, inputs] rounded to 16 bits: uint8 [2 n, inputs], first all low bytes, and each row's step [n, 1]."""
    step = rows.abs().amax(dim=1, keepdim=True).clamp(min=_SMALLEST) / _MOST
    # Cutting off rounds here, since nothing is negative.
    levels = (rows / step).add(_MIDDLE + 0.5).to(torch.int32)
    return torch.cat(((levels & _LOW).to(torch.uint8), (levels >> 8).to(torch.uint8))), step


def joined(sums: torch.Tensor, step: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """The products [n, outputs] of rows of which `sums` [2 n, outputs] has those of the low and of the high bytes."""
    count = step.shape[0]
    product = torch.add(sums[:count], sums[count:], alpha=HIGH) * step
    return product if bias is None else product + bias


def quantize_linears(model: nn.Module) -> None:
    """Replaces the model's linear layers in place, the head's too."""
    replace_linears(model, Int8Linear)

"""Linear layers on a CPU whose weights stand in memory in the order in which oneDNN reads them.

For the few rows of a decode step a product with weights in this order takes about half as long as one with weights as
they are stored, and for a long prompt four fifths; the arithmetic is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

_EXPECTED_ROWS = 64
"""Rows the order is chosen for; the one for 8 to 512 is also right for one row."""
_FEWEST_ROWS = 4
"""One to three rows take longer than four: they are multiplied with rows of zeros beside them."""
_TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 2e-2}
"""By which a product may differ from torch's own, of the largest output: sums are rounded in another order."""


class PrepackedLinear(nn.Module):
    """A linear layer with the weight and bias of another."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach()
        self.register_buffer("packed", torch.ops.mkldnn._reorder_linear_weight(weight, _EXPECTED_ROWS))
        bias: torch.Tensor | None = linear.bias  # typed as always there, which it is not
        self.bias = None if bias is None else bias.detach()

    def product(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows [n, inputs] to [n, outputs], in the weights' dtype."""
        count = rows.shape[0]
        if count < _FEWEST_ROWS:
            rows = functional.pad(rows, (0, 0, 0, _FEWEST_ROWS - count))
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self.packed, self.bias, "none", [], ""
        )
        return product[:count]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product with `x` [..., inputs]: [..., outputs] in the weights' dtype."""
        return self.product(x.reshape(-1, self.in_features)).view(*x.shape[:-1], self.out_features)


def can_prepack(model: nn.Module) -> bool:
    """True where oneDNN is there and all weights are on a CPU, in one dtype that it computes in."""
    weights = list(model.parameters())
    dtypes = {weight.dtype for weight in weights}
    is_on_cpu = all(weight.device.type == "cpu" for weight in weights)
    has_kernels = hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    return has_kernels and is_on_cpu and len(dtypes) == 1 and dtypes <= set(_TOLERANCES)


def prepack_linears(model: nn.Module) -> None:
    """Replaces the model's linear layers in place, but those whose packed product differs from their own."""
    replace_linears(model, _prepacked_or_same)


@torch.inference_mode()
def _prepacked_or_same(linear: nn.Linear) -> nn.Module:
    packed = PrepackedLinear(linear)
    probe = torch.linspace(-1, 1, 5 * linear.in_features, dtype=linear.weight.dtype)
    x = probe.view(linear.in_features, 5).T.contiguous()
    expected = functional.linear(x, linear.weight, linear.bias).float()
    largest = float(expected.abs().max())
    error = float((packed(x).float() - expected).abs().max())
    return packed if error <= _TOLERANCES[linear.weight.dtype] * largest else linear


def replace_linears(model: nn.Module, make: Callable[[nn.Linear], nn.Module]) -> None:
    """Puts what `make` makes of each linear layer in its place; a layer that stands in two places stays one."""
    made: dict[nn.Module, nn.Module] = {}
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                if child not in made:
                    made[child] = make(child)
                    if made[child] is not child:  # gives its memory back
                        child.weight = nn.Parameter(torch.empty(0), requires_grad=False)
                setattr(parent, name, made[child])

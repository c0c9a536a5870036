"""The form of a model's linear layers: merged, in 8 bits, or in oneDNN's order, whichever is fastest where it runs."""

from __future__ import annotations

from transformers import PreTrainedModel

from workbench.engine.fused import can_fuse, is_known, merge_projections
from workbench.engine.int8 import quantize_linears
from workbench.engine.prepacked import can_prepack, prepack_linears


def prepare_projections(model: PreTrainedModel, *, is_int8: bool) -> None:
    """Changes the linear layers in place; `is_int8`: a CPU with 8-bit kernels is asked for int8."""
    if can_fuse(model):
        merge_projections(model)
    if is_int8:
        quantize_linears(model)
    elif is_known(model) and can_prepack(model):
        prepack_linears(model)

"""Int8 on a CPU: its error, its independence of neighbours, and what is replaced in a model."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.engine.driver import BUDGET, Driver
from tests.engine.tiny_models import tiny_model
from workbench.engine.fused import FusedDecoder, merge_projections
from workbench.engine.int8 import Int8Linear, has_int8_kernels, quantize_linears
from workbench.engine.runner import SlotRunner
from workbench.engine.selection import choose_runner

pytestmark = pytest.mark.skipif(not has_int8_kernels(), reason="this CPU has no VNNI")


def linear(inputs: int = 64, outputs: int = 48, *, bias: bool = False) -> nn.Linear:
    torch.manual_seed(3)
    return nn.Linear(inputs, outputs, bias=bias).eval()


@torch.inference_mode()
@pytest.mark.parametrize("bias", [False, True])
def test_a_product_is_that_of_the_rounded_weights(bias: bool) -> None:
    layer = linear(bias=bias)
    x = torch.randn(5, 64)
    weight_scale = layer.weight.abs().amax(1, keepdim=True) / 127
    x[2, 7] = 300.0  # one channel far above the others, as models have
    rounded = torch.round(layer.weight / weight_scale) * weight_scale
    expected = x @ rounded.T + (layer.bias if bias else 0)
    steps = x.abs().amax(1, keepdim=True) / 127 / 254  # what an input may be off by, twice
    assert ((Int8Linear(layer)(x) - expected).abs() <= steps * rounded.abs().sum(1) + 1e-5).all()


@torch.inference_mode()
def test_a_row_is_the_same_to_the_last_bit_alone_and_among_others() -> None:
    layer = Int8Linear(linear())
    x = torch.randn(9, 64)
    x[4] *= 1000
    together = layer(x)
    for row in range(9):
        assert torch.equal(layer(x[row : row + 1])[0], together[row])


@torch.inference_mode()
def test_a_row_of_zeros_gives_zeros() -> None:
    assert not Int8Linear(linear())(torch.zeros(2, 3, 64)).any()


def test_all_linear_layers_are_replaced_and_shared_ones_stay_shared() -> None:
    model = tiny_model("llama")
    merge_projections(model)
    quantize_linears(model)
    attention = model.model.layers[0].self_attn
    assert attention.q_proj.merged is attention.v_proj.merged
    assert isinstance(attention.q_proj.merged, Int8Linear)
    assert [name for name, module in model.named_modules() if type(module) is nn.Linear] == []


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3_text"])
def test_a_quantized_model_answers_the_same_alone_and_among_others(kind: str) -> None:
    model = tiny_model(kind)
    if kind != "gemma3_text":
        merge_projections(model)
    quantize_linears(model)
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8)
    assert isinstance(runner, SlotRunner)
    assert isinstance(runner.forward, FusedDecoder) == (kind != "gemma3_text")
    driver = Driver(model, runner)
    alone = driver.submit([3, 14, 15], scope="one", ignore_eos=True)
    driver.run(alone)
    crowd = [driver.submit([9, 2, 6, seed], scope="other", ignore_eos=True) for seed in range(3)]
    again = driver.submit([3, 14, 15], scope="other", ignore_eos=True)
    driver.run(*crowd, again)
    assert again.ids() == alone.ids()

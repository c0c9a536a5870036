"""Linear layers in oneDNN's order: the same products, tied layers, and models that are left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.engine.driver import BUDGET, Driver
from tests.engine.tiny_models import greedy, tiny_model
from workbench.engine import prepacked
from workbench.engine.fused import FusedDecoder, merge_projections
from workbench.engine.prepacked import PrepackedLinear, can_prepack, prepack_linears
from workbench.engine.runner import SlotRunner
from workbench.engine.selection import choose_runner

pytestmark = pytest.mark.skipif(not can_prepack(nn.Linear(8, 8)), reason="torch was built without oneDNN")
PROMPT = [3, 14, 15, 92, 65, 35]


@torch.inference_mode()
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 40])
def test_a_packed_layer_gives_the_same_product(rows: int, bias: bool) -> None:
    torch.manual_seed(1)
    linear = nn.Linear(96, 80, bias=bias)
    x = torch.randn(2, rows, 96)
    assert torch.allclose(PrepackedLinear(linear)(x), linear(x), atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_a_packed_model_generates_what_it_did(kind: str) -> None:
    model = tiny_model(kind)
    merge_projections(model)
    prepack_linears(model)
    assert [name for name, module in model.named_modules() if type(module) is nn.Linear] == []
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8)
    assert isinstance(runner, SlotRunner)
    assert isinstance(runner.forward, FusedDecoder)
    driver = Driver(model, runner)
    got = driver.submit(PROMPT, max_tokens=12)
    driver.run(got)
    assert got.ids() == greedy(tiny_model(kind), PROMPT, 12)


def test_a_layer_whose_packed_product_differs_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(PrepackedLinear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * 1.5

    monkeypatch.setattr(prepacked, "PrepackedLinear", Wrong)
    model = nn.Sequential(nn.Linear(32, 16))
    prepack_linears(model)
    assert type(model[0]) is nn.Linear


def test_half_floats_and_mixed_dtypes_are_left_alone() -> None:
    assert can_prepack(nn.Linear(8, 8))
    assert can_prepack(nn.Linear(8, 8).bfloat16())
    assert not can_prepack(nn.Linear(8, 8).half())
    assert not can_prepack(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8).bfloat16()))

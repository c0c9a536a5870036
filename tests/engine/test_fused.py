"""The flat forward pass against transformers' own, and the runner that a model gets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from tests.engine.driver import BUDGET, Driver
from tests.engine.tiny_models import greedy, tiny_model
from workbench.engine import selection
from workbench.engine.fused import FusedDecoder, can_fuse, grouped_attention, is_merged, merge_projections
from workbench.engine.runner import SlotRunner
from workbench.engine.selection import choose_runner

FUSED = ("llama", "mistral", "qwen2", "qwen3")
PROMPTS = [
    [(5 * place + seed) % 250 for place in range(length)] for seed, length in enumerate((3, 41, 18, 9))
]


def fused(kind: str) -> tuple[PreTrainedModel, SlotRunner]:
    """A tiny model as it was, and the runner over a merged copy."""
    model = tiny_model(kind)
    assert can_fuse(model)
    merge_projections(model)
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8)
    assert isinstance(runner, SlotRunner)
    assert isinstance(runner.forward, FusedDecoder)
    return tiny_model(kind), runner


@pytest.mark.parametrize("kind", FUSED)
def test_a_merged_model_still_gives_its_own_logits(kind: str) -> None:
    model, merged = tiny_model(kind), tiny_model(kind)
    merge_projections(merged)
    ids = torch.tensor([PROMPTS[1]])
    with torch.inference_mode():
        assert torch.allclose(model(ids).logits, merged(ids).logits, atol=1e-5)
    assert is_merged(merged)
    assert not is_merged(model)


@pytest.mark.parametrize("kind", FUSED)
def test_fused_greedy_tokens_in_a_mixed_batch_are_generates(kind: str) -> None:
    model, runner = fused(kind)
    driver = Driver(model, runner)
    driver.engine._scheduler.idle_chunk = 7
    running = []
    for number, ids in enumerate(PROMPTS):
        running.append(driver.submit(ids, max_tokens=6 + 5 * number))
        driver.engine.step()
    driver.run(*running)
    for number, (ids, got) in enumerate(zip(PROMPTS, running, strict=True)):
        assert got.ids() == greedy(model, ids, 6 + 5 * number)


def test_a_model_of_another_family_is_left_alone() -> None:
    model = tiny_model("gemma3_text")
    assert not can_fuse(model)
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8)
    assert isinstance(runner, SlotRunner)
    assert not isinstance(runner.forward, FusedDecoder)


def test_a_forward_pass_that_gives_other_logits_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(FusedDecoder):
        def __call__(self, *args: Any) -> torch.Tensor:
            return super().__call__(*args).flip(-1)

    monkeypatch.setattr(selection, "FusedDecoder", Wrong)
    model = tiny_model("llama")
    merge_projections(model)
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8)
    assert isinstance(runner, SlotRunner)
    assert not isinstance(runner.forward, FusedDecoder)


@pytest.mark.parametrize(("rows", "count"), [(3, 1), (1, 5), (2, 5)])
def test_shared_key_heads_give_what_repeated_ones_give(rows: int, count: int) -> None:
    torch.manual_seed(0)
    query, keys, values = (
        torch.randn(rows, count, 6, 8),
        torch.randn(rows, 2, 9, 8),
        torch.randn(rows, 2, 9, 8),
    )
    mask = torch.zeros(rows, 1, count, 9).masked_fill_(torch.rand(rows, 1, count, 9) < 0.3, float("-inf"))
    mask[..., 0] = 0
    seen = grouped_attention(query, keys, values, mask, 0.3)
    scores = query.transpose(1, 2) @ keys.repeat_interleave(3, 1).transpose(2, 3) * 0.3 + mask
    expected = (scores.softmax(-1) @ values.repeat_interleave(3, 1)).transpose(1, 2)
    assert torch.allclose(seen, expected, atol=1e-5)

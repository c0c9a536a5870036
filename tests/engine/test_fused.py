"""The flat forward pass against transformers' own, and the runner that a model gets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from tests.engine.driver import BUDGET, Driver
from tests.engine.tiny_models import greedy, tiny_model
from workbench.engine import selection
from workbench.engine.fused import FusedDecoder, can_fuse, is_merged, merge_projections
from workbench.engine.runner import Piece, SlotRunner
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
    assert runner.can_pack
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


@pytest.mark.parametrize("kind", FUSED)
def test_a_piece_read_beside_decoding_rows_changes_neither(kind: str) -> None:
    model, runner = fused(kind)
    prompt, others, following = PROMPTS[1], PROMPTS[2:], 7
    with torch.inference_mode():
        runner.reserve(3, 64)
        for row, ids in enumerate(others):
            runner.prefill(row, ids, 0, 1)
        runner.prefill(2, prompt[:5], 0, 1)
        piece = Piece(2, prompt[5:30], 5)
        together = runner.decode([following] * 2, [len(ids) for ids in others], piece)
        for logits, ids in zip(together, others, strict=True):
            expected = model(torch.tensor([[*ids, following]])).logits[0, -1]
            assert torch.allclose(logits, expected, atol=1e-4)
        last = runner.prefill(2, prompt[30:], 30, 1)
        assert torch.allclose(last, model(torch.tensor([prompt])).logits[0, -1:], atol=1e-4)


def test_beside_others_all_of_a_prompt_but_its_end_goes_through_their_passes() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    decode, pieces = driver.runner.decode, []

    def watched(ids: list[int], positions: list[int], beside: Piece | None = None) -> torch.Tensor:
        pieces.append(0 if beside is None else len(beside.ids))
        made: torch.Tensor = decode(ids, positions, beside)
        return made

    driver.runner.decode = watched
    early = driver.submit(PROMPTS[0], max_tokens=12, ignore_eos=True)
    driver.engine.step()
    driver.engine._scheduler.idle_chunk = 16
    late = driver.submit(PROMPTS[1], max_tokens=3)
    driver.run(early, late)
    assert [size for size in pieces if size] == [16, 16]
    assert late.ids() == greedy(model, PROMPTS[1], 3)

"""Prompts that are only scored: several in one pass, from a start, without a row."""

from __future__ import annotations

import pytest
import torch

from tests.engine.driver import Driver
from tests.engine.tiny_models import KINDS, tiny_model
from workbench.core.errors import BackendFailed

PROMPTS = [
    [(11 * place + seed) % 250 for place in range(length)] for seed, length in enumerate((4, 30, 2, 17, 9))
]


def logprobs(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), dim=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_scored_together_get_the_scores_of_plain_passes(kind: str) -> None:
    model = tiny_model(kind)
    driver = Driver(model)
    running = [driver.submit(ids, prompt_logprobs=2, max_tokens=0) for ids in PROMPTS]
    driver.engine.step()
    for ids, got in zip(PROMPTS, running, strict=True):
        assert got.is_over
        expected = logprobs(model, ids)
        scores = got.prefill.prompt_scores
        assert [score.token_id for score in scores] == ids
        assert scores[0].logprob is None
        for place in range(1, len(ids)):
            assert scores[place].logprob == pytest.approx(expected[place - 1, ids[place]].item(), abs=1e-4)
            assert scores[place].top[0][1] == pytest.approx(expected[place - 1].max().item(), abs=1e-4)
    assert driver.engine.load.running == 0


@pytest.mark.parametrize("kind", KINDS)
def test_choices_behind_one_context_get_the_scores_of_plain_passes(kind: str) -> None:
    model = tiny_model(kind)
    driver = Driver(model)
    context = PROMPTS[1][:14]
    prompts = [[*context, 3, 4, 5], [*context, 3, 9], [*context[:6], 8, 8, 8], [*context, 3, 4, 5]]
    running = [driver.submit(ids, prompt_logprobs=0, prompt_logprobs_from=5, max_tokens=0) for ids in prompts]
    driver.engine.step()
    for ids, got in zip(prompts, running, strict=True):
        expected = logprobs(model, ids)
        for place in range(5, len(ids)):
            score = got.prefill.prompt_scores[place]
            assert score.token_id == ids[place]
            assert score.logprob == pytest.approx(expected[place - 1, ids[place]].item(), abs=1e-4)


def test_a_prompt_that_is_the_beginning_of_one_before_it_keeps_its_own_scores() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    asked = [(PROMPTS[1], 6), (PROMPTS[1][:6], 1)]
    running = [
        driver.submit(ids, prompt_logprobs=0, prompt_logprobs_from=start, max_tokens=0)
        for ids, start in asked
    ]
    driver.engine.step()
    for (ids, start), got in zip(asked, running, strict=True):
        expected = logprobs(model, ids)
        for place in range(start, len(ids)):
            score = got.prefill.prompt_scores[place].logprob
            assert score == pytest.approx(expected[place - 1, ids[place]].item(), abs=1e-4)


@pytest.mark.parametrize("idle_chunk", [512, 7])
@pytest.mark.parametrize("start", [0, 1, 12, 29, 30, 99])
def test_only_tokens_from_the_start_on_are_scored(start: int, idle_chunk: int) -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    driver.engine._scheduler.idle_chunk = idle_chunk
    ids = PROMPTS[1]
    got = driver.submit(ids, prompt_logprobs=0, prompt_logprobs_from=start, max_tokens=0)
    driver.run(got)
    scores, expected = got.prefill.prompt_scores, logprobs(model, ids)
    assert [score.token_id for score in scores] == ids
    first = max(start, 1)
    assert all(score.logprob is None for score in scores[:first])
    for place in range(first, len(ids)):
        assert scores[place].logprob == pytest.approx(expected[place - 1, ids[place]].item(), abs=1e-4)


def test_scored_prompts_wait_their_turn_behind_the_one_that_is_being_read() -> None:
    driver = Driver(tiny_model("llama"))
    driver.engine._scheduler.idle_chunk = 20
    long = driver.submit([7] * 50, max_tokens=1)
    scored = driver.submit(PROMPTS[0], prompt_logprobs=0, max_tokens=0)
    driver.engine.step()
    assert not scored.is_over
    driver.run(long, scored)


def test_a_scored_prompt_is_not_kept_for_others() -> None:
    driver = Driver(tiny_model("llama"))
    driver.run(driver.submit([7] * 60, prompt_logprobs=0, max_tokens=0))
    assert len(driver.prefixes) == 0


def test_a_failing_pass_tells_everyone_who_was_in_it() -> None:
    driver = Driver(tiny_model("llama"))
    running = [driver.submit(ids, prompt_logprobs=0, max_tokens=0) for ids in PROMPTS]
    score = driver.runner.score
    driver.runner.score = lambda prompts, starts, scopes: (_ for _ in ()).throw(
        ZeroDivisionError("secret text")
    )
    driver.engine.step()
    assert all(isinstance(got.error, BackendFailed) for got in running)
    driver.runner.score = score
    whole = driver.submit(PROMPTS[0], prompt_logprobs=0, max_tokens=0)
    driver.run(whole)
    assert whole.error is None


def test_a_model_that_cannot_pack_reads_them_one_by_one() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    driver.runner.can_pack = False
    running = [driver.submit(ids, prompt_logprobs=0, max_tokens=0) for ids in PROMPTS]
    driver.run(*running)
    for ids, got in zip(PROMPTS, running, strict=True):
        last = logprobs(model, ids)[-2, ids[-1]].item()
        assert got.prefill.prompt_scores[-1].logprob == pytest.approx(last, abs=1e-4)

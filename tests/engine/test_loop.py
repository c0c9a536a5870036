"""The step loop over tiny models: parity with generate(), joining and leaving, pausing, failing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.engine.driver import Driver, Got
from tests.engine.tiny_models import KINDS, VOCABULARY, greedy, tiny_model
from workbench.core.chat import FinishReason
from workbench.core.errors import BackendFailed, EngineRestarting, Overloaded
from workbench.engine.runner import SlotRunner


def prompt(length: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 250, (length,), generator=generator).tolist()


PROMPTS = [prompt(length, seed) for seed, length in enumerate((3, 17, 40, 5, 29, 11))]


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_tokens_alone_are_generates(kind: str) -> None:
    model = tiny_model(kind)
    driver = Driver(model)
    for ids in PROMPTS[:3]:
        got = driver.submit(ids)
        driver.run(got)
        assert got.ids() == greedy(model, ids, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_tokens_in_a_mixed_batch_are_generates(kind: str) -> None:
    model = tiny_model(kind)
    driver = Driver(model)
    running = []
    for number, ids in enumerate(PROMPTS):
        running.append(driver.submit(ids, max_tokens=6 + 5 * number))
        for _ in range(2):  # each joins while the others are on their way
            driver.engine.step()
    driver.run(*running)
    for number, (ids, got) in enumerate(zip(PROMPTS, running, strict=True)):
        assert got.ids() == greedy(model, ids, 6 + 5 * number)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_read_in_small_chunks_give_the_same_tokens(kind: str) -> None:
    model = tiny_model(kind)
    driver = Driver(model)
    driver.engine._scheduler.idle_chunk = 7
    got = driver.submit(PROMPTS[2])
    driver.run(got)
    assert got.ids() == greedy(model, PROMPTS[2], 16)


def test_a_seeded_answer_is_the_same_alone_and_among_others() -> None:
    driver = Driver(tiny_model("llama"))
    alone = driver.submit(PROMPTS[0], temperature=1.0, seed=11)
    driver.run(alone)
    crowd = [driver.submit(ids, temperature=1.3, seed=5) for ids in PROMPTS[1:4]]
    again = driver.submit(PROMPTS[0], temperature=1.0, seed=11, scope="another")
    driver.run(*crowd, again)
    assert again.ids() == alone.ids()


def test_choices_share_one_prefill_and_differ() -> None:
    driver = Driver(tiny_model("llama"))
    got = driver.submit(prompt(60, 9), choices=4, temperature=1.5, max_tokens=12)
    reads: list[int] = []
    read = driver.runner.prefill

    def counting(row: int, ids: list[int], start: int, keep: int) -> torch.Tensor:
        reads.append(len(ids))
        made: torch.Tensor = read(row, ids, start, keep)
        return made

    driver.runner.prefill = counting
    driver.run(got)
    assert reads == [60]  # the others differ in nothing but what is drawn: they begin by decoding
    assert len({tuple(got.ids(choice)) for choice in range(4)}) > 1


def test_a_call_with_few_places_runs_its_choices_in_turn() -> None:
    driver = Driver(tiny_model("llama"))
    got = driver.submit(
        PROMPTS[0], choices=3, places=lambda: 1, temperature=1.0, max_tokens=5, ignore_eos=True
    )
    most = 0
    for _ in range(60):
        driver.engine.step()
        most = max(most, driver.engine.load.running)
    assert got.is_over
    assert most == 1


def test_a_newcomers_first_token_goes_out_before_the_other_rows_step(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(tiny_model("llama"))
    others = driver.submit(PROMPTS[1], max_tokens=30, ignore_eos=True)
    driver.engine.step()
    newcomer = driver.submit(PROMPTS[0], max_tokens=5, ignore_eos=True)
    heard: list[int] = []
    decode: Callable[..., torch.Tensor] = driver.runner.decode

    def spied(*args: object) -> torch.Tensor:
        heard.append(newcomer.counted())
        made: torch.Tensor = decode(*args)
        return made

    monkeypatch.setattr(driver.runner, "decode", spied)
    driver.engine.step()
    assert heard == [1]
    driver.run(others, newcomer)


def test_a_newcomer_is_next_although_a_burst_of_another_caller_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(tiny_model("llama"))
    burst = [driver.submit(prompt(20, seed), max_tokens=3, scope="many") for seed in range(6)]
    newcomers: list[Got] = []
    read = driver.runner.prefill
    rows: list[int] = []

    def spied(row: int, ids: list[int], start: int, keep: int) -> torch.Tensor:
        if not newcomers:
            newcomers.append(driver.submit(prompt(20, 7), max_tokens=3, scope="one"))
        rows.append(ids[0])
        made: torch.Tensor = read(row, ids, start, keep)
        return made

    monkeypatch.setattr(driver.runner, "prefill", spied)
    driver.engine.step()
    assert rows[:2] == [prompt(20, 0)[0], prompt(20, 7)[0]]
    driver.run(*burst, *newcomers)


def test_a_cancelled_request_frees_its_row_within_one_step() -> None:
    driver = Driver(tiny_model("llama"))
    kept = driver.submit(PROMPTS[1], max_tokens=30, ignore_eos=True)
    left = driver.submit(PROMPTS[0], max_tokens=400, ignore_eos=True)
    for _ in range(5):
        driver.engine.step()
    assert left.job is not None
    driver.engine.cancel(left.job)
    driver.engine.step()
    assert driver.engine.load.running == 1
    driver.run(kept)
    assert kept.counted() == 30


def test_a_reused_prefix_gives_the_same_tokens_and_is_counted() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    first = driver.submit(prompt(64, 3))
    driver.run(first)
    longer = prompt(64, 3) + first.ids() + prompt(9, 4)
    second = driver.submit(longer)
    driver.run(second)
    assert second.prefill.cached_tokens >= 64
    assert second.ids() == greedy(model, longer, 16)


def test_a_prefix_is_never_reused_across_scopes() -> None:
    driver = Driver(tiny_model("llama"))
    driver.run(driver.submit(prompt(64, 3), scope="one"))
    other = driver.submit(prompt(64, 3), scope="other")
    driver.run(other)
    assert other.prefill.cached_tokens == 0


def test_prompt_logprobs_are_those_of_one_plain_pass() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    ids = prompt(40, 5)
    driver.engine._scheduler.idle_chunk = 9
    got = driver.submit(ids, prompt_logprobs=2, max_tokens=0)
    driver.run(got)
    with torch.inference_mode():
        logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), dim=-1)
    scores = got.prefill.prompt_scores
    assert [score.token_id for score in scores] == ids
    assert scores[0].logprob is None
    for place in range(1, len(ids)):
        assert scores[place].logprob == pytest.approx(logprobs[place - 1, ids[place]].item(), abs=1e-4)
        assert scores[place].top[0][1] == pytest.approx(logprobs[place - 1].max().item(), abs=1e-4)
    assert got.finish() is FinishReason.LENGTH
    assert got.counted() == 0


def test_when_memory_is_short_the_youngest_waits_and_no_answer_changes() -> None:
    model = tiny_model("llama")
    plan = Driver(model).runner._plan
    small = SlotRunner(model, plan, budget_bytes=3 * 256 * 1024, max_rows=8)
    assert 2 < small.cache.budget_bytes // small.cache.bytes_per_token // 128 < 8
    driver = Driver(model, small)
    running = [
        driver.submit(prompt(50, seed), max_tokens=120, ignore_eos=True, logprobs=0) for seed in range(6)
    ]
    driver.run(*running)
    for seed, got in enumerate(running):
        expected = model.generate(
            torch.tensor([prompt(50, seed)]), max_new_tokens=120, do_sample=False, eos_token_id=VOCABULARY + 1,
            pad_token_id=VOCABULARY - 1,
        )[0, 50:]  # fmt: skip
        assert got.ids() == expected.tolist()


def test_a_failing_step_fails_its_requests_and_the_loop_goes_on() -> None:
    driver = Driver(tiny_model("llama"))
    decode = driver.runner.decode
    broken = driver.submit(PROMPTS[0])
    driver.runner.decode = lambda *args: (_ for _ in ()).throw(ZeroDivisionError("secret text"))
    driver.run(broken)
    assert isinstance(broken.error, BackendFailed)
    assert "secret" not in broken.error.message
    driver.runner.decode = decode
    whole = driver.submit(PROMPTS[0])
    driver.run(whole)
    assert whole.error is None
    assert driver.engine.load.running == 0


def test_out_of_memory_pauses_half_and_everybody_ends_well() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    decode, failures = driver.runner.decode, [True]

    def short_of_memory(ids: list[int], *rest: object) -> torch.Tensor:
        if len(ids) > 2 and failures:
            failures.clear()
            raise torch.OutOfMemoryError("no")
        made: torch.Tensor = decode(ids, *rest)
        return made

    driver.runner.decode = short_of_memory
    running = [driver.submit(ids) for ids in PROMPTS[:4]]
    driver.run(*running)
    assert not failures
    for ids, got in zip(PROMPTS, running, strict=False):
        assert got.ids() == greedy(model, ids, 16)


def test_out_of_memory_for_one_alone_is_an_honest_refusal() -> None:
    driver = Driver(tiny_model("llama"))
    driver.runner.decode = lambda *args: (_ for _ in ()).throw(torch.OutOfMemoryError("no"))
    got = driver.submit(PROMPTS[0])
    driver.run(got)
    assert isinstance(got.error, Overloaded)


def test_max_tokens_zero_ends_at_once() -> None:
    driver = Driver(tiny_model("llama"))
    got = driver.submit(PROMPTS[0], max_tokens=0)
    driver.run(got)
    assert got.finish() is FinishReason.LENGTH
    assert got.counted() == 0
    assert driver.engine.load.running == 0


def test_min_tokens_bans_the_end_and_ignore_eos_goes_past_it() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    bias = {256: 100.0}
    short = driver.submit(PROMPTS[0], logit_bias=bias)
    long = driver.submit(PROMPTS[0], logit_bias=bias, min_tokens=5)
    endless = driver.submit(PROMPTS[0], logit_bias=bias, ignore_eos=True, max_tokens=9)
    driver.run(short, long, endless)
    assert (short.counted(), long.counted(), endless.counted()) == (1, 6, 9)
    assert (short.finish(), endless.finish()) == (FinishReason.STOP, FinishReason.LENGTH)


def test_an_echoed_prompt_is_followed_by_the_score_of_its_end() -> None:
    """Who drops the one token that was generated is left with the whole prompt's scores, whatever the token was."""
    driver = Driver(tiny_model("llama"))
    ask: dict[str, Any] = {"logit_bias": {256: 100.0}, "max_tokens": 1, "logprobs": 1}
    echoed = driver.submit(PROMPTS[0], prompt_logprobs=1, **ask)
    plain = driver.submit(PROMPTS[0], **ask)
    driver.run(echoed, plain)
    assert (echoed.ids(), plain.ids()) == ([256], [])
    assert (echoed.text(), plain.text()) == ("", "")
    assert echoed.finish() is plain.finish() is FinishReason.STOP


def test_a_stop_string_is_never_shown_and_frees_the_row() -> None:
    model = tiny_model("llama")
    driver = Driver(model)
    plain = driver.submit(PROMPTS[3], max_tokens=30, ignore_eos=True)
    driver.run(plain)
    text = plain.text()
    stop = text[8:10]
    stopped = driver.submit(PROMPTS[3], max_tokens=30, ignore_eos=True, stop=(stop,))
    driver.run(stopped)
    assert stopped.text() == text[: text.index(stop)]
    assert stopped.finish() is FinishReason.STOP
    assert driver.engine.load.running == 0


def test_a_loop_that_dies_tells_its_callers_and_starts_again() -> None:
    driver = Driver(tiny_model("llama"))
    engine, step = driver.engine, driver.engine.step

    def die() -> None:
        engine.step = step  # type: ignore[method-assign]
        raise SystemExit(1)

    engine.step = die  # type: ignore[method-assign]
    broken = driver.submit(PROMPTS[0])
    engine.start()
    try:
        wait_for(lambda: broken.is_over)
        assert isinstance(broken.error, EngineRestarting)
        whole = driver.submit(PROMPTS[0])
        engine._wake.set()
        wait_for(lambda: whole.is_over)
        assert whole.error is None
    finally:
        engine.close()
    assert not engine.is_alive


def test_closing_ends_what_runs_with_an_error() -> None:
    driver = Driver(tiny_model("llama"))
    running = driver.submit(PROMPTS[0], max_tokens=400, ignore_eos=True)
    driver.engine.start()
    wait_for(lambda: bool(running.events))
    driver.engine.close()
    assert isinstance(running.error, Overloaded)
    with pytest.raises(EngineRestarting):
        driver.engine.submit(running.job.request, running.take)  # type: ignore[union-attr]


def wait_for(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Returns once it is so; fails when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)

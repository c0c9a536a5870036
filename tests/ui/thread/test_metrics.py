from __future__ import annotations

import pytest

from workbench.core.chat import Delta, Finished, FinishReason, Started, Usage
from workbench.ui.thread.metrics import Stopwatch, duration, in_credits


def watched(*deltas: Delta, usage: Usage | None = None, price: float | None = None) -> Stopwatch:
    watch = Stopwatch(price, sent_at=100.0)
    watch.add(Started(prompt_tokens=7, fingerprint="f"))
    for delta in deltas:
        watch.add(delta)
    if usage is not None:
        watch.add(Finished(usage))
    return watch


def test_ttft_is_from_sent_to_the_first_token_of_any_channel() -> None:
    watch = watched(Delta(0), Delta(0, reasoning="hm", token_count=1, at=100.25),
                    Delta(0, content="a", token_count=1, at=100.5))  # fmt: skip
    assert watch.metrics().ttft_seconds == pytest.approx(0.25)


def test_speed_is_tokens_less_one_over_the_time_between_first_and_last() -> None:
    watch = watched(*(Delta(0, content="a", token_count=1, at=100 + step / 10) for step in range(11)))
    assert watch.metrics().tokens_per_second == pytest.approx(10.0)


def test_speed_counts_tokens_not_pieces() -> None:
    watch = watched(
        Delta(0, content="a", token_count=1, at=100.0), Delta(0, content="bcd", token_count=4, at=101.0)
    )
    assert watch.metrics().tokens_per_second == pytest.approx(4.0)


def test_one_token_has_no_speed() -> None:
    assert watched(Delta(0, content="a", token_count=1, at=100.5)).metrics().tokens_per_second is None


def test_the_engines_usage_counts_where_there_is_one() -> None:
    metrics = watched(Delta(0, token_count=2, at=101), usage=Usage(9, 3), price=0.5).metrics()
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (9, 3)
    assert metrics.cost == pytest.approx(12 * 0.5 / 1e6)


def test_a_stopped_answer_counts_what_came() -> None:
    metrics = watched(Delta(0, token_count=2, at=101)).metrics(was_stopped=True)
    assert (metrics.prompt_tokens, metrics.completion_tokens, metrics.finish_reason) == (7, 2, "stopped")
    assert metrics.cost is None


def test_the_models_reason_is_kept() -> None:
    watch = watched(Delta(0, finish_reason=FinishReason.LENGTH), usage=Usage(7, 0))
    assert watch.metrics().finish_reason == "length"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0 ms"), (0.0844, "84 ms"), (1.236, "1.24 s"), (125, "2 min 5 s")]
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (2.62e-6, "0.00000262"), (0.0124, "0.012"), (1.5, "1.5")]
)
def test_credits_are_never_in_scientific_notation(amount: float, text: str) -> None:
    assert in_credits(amount) == text

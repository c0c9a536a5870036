"""The screened stream: what comes out, in which order, and what does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.base import Direction, Screened, ScreenedEvent, VerdictState
from guard.off import OffGuard
from guard.pipeline import Screening
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy, WindowSizes
from tests.guard.fakes import CONTEXT, FakeGuard, user
from workbench.core.chat import Delta, Finished, FinishReason, Started, StreamEvent, Usage
from workbench.core.errors import BackendFailed, ContentFiltered, ContextLengthExceeded, Unavailable

ALL_MODES = list(Mode)
SIZES = WindowSizes(window_chars=60, first_chars=10, stride_chars=20, lookahead_chars=4)
HARMLESS = ["Whisk ", "two ", "yolks, ", "add ", "oil ", "slowly ", "and ", "season."]


@dataclass
class Model:
    """A generation that says `words`, one list a choice, and knows how far it came and whether it was closed.

    With `delay` None it says everything at once; at word number `stalls_at` it stops for good.
    """

    words: Sequence[Sequence[str]] = (HARMLESS,)
    error: Exception | None = None
    delay: float | None = 0.0
    stalls_at: int | None = None
    said: int = 0
    is_closed: bool = False
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    has_said_all: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        try:
            yield Started(7, "model-1")
            for place in range(max(map(len, self.words))):
                for index, words in enumerate(self.words):
                    if place < len(words):
                        if self.said == self.stalls_at:
                            await asyncio.sleep(60)
                        if self.delay is not None:
                            await asyncio.sleep(self.delay)
                        self.said += 1
                        self.has_begun.set()
                        yield Delta(index, words[place], token_count=1, at=time.monotonic())
            self.has_said_all.set()
            if self.error is not None:
                raise self.error
            for index in range(len(self.words)):
                yield Delta(index, finish_reason=FinishReason.STOP)
            await asyncio.sleep(0)
            yield Finished(Usage(7, self.said, cached_tokens=3))
        finally:
            self.is_closed = True


def policy(inward: Mode = Mode.OFF, outward: Mode = Mode.OFF, **more: object) -> ScreeningPolicy:
    return ScreeningPolicy(
        DirectionPolicy(inward),
        DirectionPolicy(outward),
        windows=SIZES,
        **more,  # type: ignore[arg-type]
    )


async def collect(
    guard: FakeGuard | OffGuard, rules: ScreeningPolicy, model: Model, prompt: str = "hello"
) -> list[ScreenedEvent]:
    stream = Screening(guard, rules).stream([user(prompt)], model.stream(), CONTEXT, choices=len(model.words))
    async with aclosing(stream) as events:
        return [event async for event in events]


async def drain(stream: AsyncGenerator[ScreenedEvent, None], shown: list[ScreenedEvent]) -> None:
    """Appends to `shown` as events come: what came before an error counts."""
    async for event in stream:
        shown.append(event)  # noqa: PERF401 - a comprehension would lose them


def text_of(events: Sequence[ScreenedEvent], index: int = 0) -> str:
    return "".join(event.content for event in events if isinstance(event, Delta) and event.index == index)


def kinds(events: Sequence[ScreenedEvent]) -> list[str]:
    """The order of the events, runs of deltas as one word."""
    names: list[str] = []
    for event in events:
        name = f"{event.direction} {event.index}" if isinstance(event, Screened) else type(event).__name__
        if name != "Delta" or names[-1:] != ["Delta"]:
            names.append(name)
    return names


def finish_reasons(events: Sequence[ScreenedEvent]) -> dict[int, FinishReason]:
    return {
        event.index: event.finish_reason
        for event in events
        if isinstance(event, Delta) and event.finish_reason is not None
    }


async def test_without_screening_the_guard_is_not_asked() -> None:
    guard = FakeGuard()
    events = await collect(guard, policy(), Model())
    assert text_of(events) == "".join(HARMLESS)
    assert guard.judged == []


@pytest.mark.parametrize("inward", ALL_MODES)
@pytest.mark.parametrize("outward", ALL_MODES)
async def test_a_harmless_chat_is_shown_unchanged_in_every_mode(inward: Mode, outward: Mode) -> None:
    model = Model([HARMLESS, HARMLESS[:3]])
    events = await collect(FakeGuard(), policy(inward, outward), model)
    assert text_of(events, 0) == "".join(HARMLESS)
    assert text_of(events, 1) == "".join(HARMLESS[:3])
    assert finish_reasons(events) == {0: FinishReason.STOP, 1: FinishReason.STOP}
    assert events[-1] == Finished(Usage(7, 11, cached_tokens=3))
    directions = [event.direction for event in events if isinstance(event, Screened)]
    assert directions.count(Direction.INPUT) == (inward is not Mode.OFF)
    assert directions.count(Direction.OUTPUT) == (0 if outward is Mode.OFF else 2)
    assert model.is_closed


async def test_under_block_verdicts_come_in_the_promised_order() -> None:
    events = await collect(FakeGuard(), policy(Mode.BLOCK, Mode.BLOCK), Model())
    assert kinds(events) == ["Started", "input 0", "Delta", "output 0", "Finished"]


@pytest.mark.parametrize("mode", [Mode.SCORE, Mode.SHADOW])
async def test_under_score_output_verdicts_come_before_the_end(mode: Mode) -> None:
    events = await collect(FakeGuard(), policy(Mode.OFF, mode), Model([HARMLESS, HARMLESS]))
    assert kinds(events) == ["Started", "Delta", "output 0", "output 1", "Finished"]


async def test_a_blocked_input_raises_before_any_event_and_frees_the_model() -> None:
    model = Model(stalls_at=2)
    stream = Screening(FakeGuard(), policy(Mode.BLOCK)).stream([user("a bomb")], model.stream(), CONTEXT)
    with pytest.raises(ContentFiltered) as refusal:
        await anext(stream)
    assert model.is_closed
    error = refusal.value.as_openai()["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["type"], error["param"]) == (
        "content_filter",
        "invalid_request_error",
        "messages",
    )
    verdict = error["moderation"]["input"]["results"][0]
    assert verdict["flagged"] is True
    assert verdict["hazards"] == ["S9"]
    assert "bomb" not in str(error)


async def test_the_model_works_while_the_input_is_judged_and_nothing_comes_out() -> None:
    model = Model()
    shown: list[ScreenedEvent] = []
    release = asyncio.Event()

    class Waiting(FakeGuard):
        async def check_many(self, *arguments, **named):  # type: ignore[no-untyped-def]
            await release.wait()
            return await super().check_many(*arguments, **named)

    async def consume() -> None:
        stream = Screening(Waiting(), policy(Mode.BLOCK)).stream([user("hi")], model.stream(), CONTEXT)
        shown.extend([event async for event in stream])

    task = asyncio.create_task(consume())
    await model.has_said_all.wait()
    assert shown == []
    release.set()
    await task
    assert text_of(shown) == "".join(HARMLESS)


async def test_score_does_not_wait_for_the_inputs_verdict() -> None:
    release = asyncio.Event()

    class Waiting(FakeGuard):
        async def check_many(self, *arguments, **named):  # type: ignore[no-untyped-def]
            await release.wait()
            return await super().check_many(*arguments, **named)

    stream = Screening(Waiting(), policy(Mode.SCORE)).stream([user("a bomb")], Model().stream(), CONTEXT)
    text = ""
    async with aclosing(stream) as events:
        async for event in events:
            if isinstance(event, Delta):
                text += event.content
            if text == "".join(HARMLESS):
                release.set()
            if isinstance(event, Screened):
                assert event.verdict.is_flagged
                assert text == "".join(HARMLESS)
    assert release.is_set()


@pytest.mark.parametrize("place", range(0, 40, 7))
async def test_a_flagged_answer_ends_before_the_harm_is_shown(place: int) -> None:
    words = ["word "] * 60
    words[place] = "bomb "
    model = Model([words], stalls_at=50)
    events = await collect(FakeGuard(), policy(Mode.OFF, Mode.BLOCK), model)
    assert "bomb" not in text_of(events)
    assert text_of(events) in "".join(words)
    assert finish_reasons(events) == {0: FinishReason.CONTENT_FILTER}
    assert kinds(events)[-2:] == ["output 0", "Finished"]
    assert model.is_closed


async def test_harm_that_straddles_two_checks_is_not_shown_in_part() -> None:
    words = [*("word " * 6).split(" "), "a b", "om", "b is here and then it goes on"]
    events = await collect(FakeGuard(), policy(Mode.OFF, Mode.BLOCK), Model([words]))
    assert finish_reasons(events) == {0: FinishReason.CONTENT_FILTER}
    assert "a bom" not in text_of(events)


async def test_a_flagged_choice_does_not_end_the_others() -> None:
    harmful = ["a ", "bomb ", *["and ", "more "] * 20]
    model = Model([harmful, ["fine "] * 30, harmful])
    events = await collect(FakeGuard(), policy(Mode.OFF, Mode.BLOCK), model)
    assert finish_reasons(events) == {
        0: FinishReason.CONTENT_FILTER,
        1: FinishReason.STOP,
        2: FinishReason.CONTENT_FILTER,
    }
    assert text_of(events, 1) == "fine " * 30
    assert text_of(events, 0) == text_of(events, 2) == ""
    verdicts = {event.index: event.verdict.state for event in events if isinstance(event, Screened)}
    assert verdicts == {0: VerdictState.UNSAFE, 1: VerdictState.SAFE, 2: VerdictState.UNSAFE}


async def test_when_every_choice_is_cut_off_the_model_is_stopped_and_its_tokens_counted() -> None:
    harmful = ["a bomb is built like this: ", *["more "] * 500]
    model = Model([harmful, harmful], delay=0.001)
    events = await collect(FakeGuard(), policy(Mode.OFF, Mode.BLOCK), model)
    assert model.is_closed
    assert model.said < 100
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.usage.prompt_tokens == 7
    assert 2 <= finished.usage.completion_tokens <= model.said


async def test_an_answer_cut_off_at_its_very_end_keeps_the_models_own_usage() -> None:
    events = await collect(FakeGuard(), policy(Mode.OFF, Mode.BLOCK), Model([["a bomb"]]))
    assert finish_reasons(events) == {0: FinishReason.CONTENT_FILTER}
    assert events[-1] == Finished(Usage(7, 1, cached_tokens=3))


async def test_windows_of_several_choices_are_judged_together() -> None:
    guard = FakeGuard()
    model = Model([["one whole answer"], ["another whole one"]], delay=None)
    await collect(guard, policy(Mode.OFF, Mode.BLOCK), model)
    assert max(guard.batches) == 2


async def test_a_slow_guard_judges_what_came_meanwhile_in_one_go() -> None:
    guard = FakeGuard(delay=0.02)
    events = await collect(guard, policy(Mode.OFF, Mode.BLOCK), Model([["word "] * 400]))
    assert text_of(events) == "word " * 400
    assert len(guard.judged) < 40


async def test_hold_back_is_measured_apart_and_checks_are_counted() -> None:
    guard = FakeGuard(delay=0.01)
    events = await collect(guard, policy(Mode.OFF, Mode.BLOCK), Model([["word "] * 40]))
    screened = next(event for event in events if isinstance(event, Screened))
    assert screened.checks == len(guard.judged) >= 2
    assert screened.guard_ms > 0
    assert screened.holdback_ms > 0


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    "guard",
    [FakeGuard(failure=RuntimeError("I read: garbled")), FakeGuard(delay=30), OffGuard()],
    ids=["raises", "hangs", "off"],
)
async def test_a_guard_that_cannot_judge_refuses_under_block(
    direction: Direction, guard: FakeGuard | OffGuard
) -> None:
    modes = (Mode.BLOCK, Mode.OFF) if direction is Direction.INPUT else (Mode.OFF, Mode.BLOCK)
    model = Model()
    with pytest.raises(Unavailable) as refusal:
        await collect(guard, policy(*modes, timeout_seconds=0.05), model)
    assert refusal.value.code == "guard_unavailable"
    assert refusal.value.status == 503
    assert "I read" not in refusal.value.message
    assert model.is_closed


async def test_an_unjudged_window_ends_a_held_stream_without_showing_it() -> None:
    shown: list[ScreenedEvent] = []
    stream = Screening(FakeGuard(), policy(Mode.OFF, Mode.BLOCK)).stream(
        [user("hi")], Model([["fine "] * 20 + ["garble "] * 20], delay=0.0005).stream(), CONTEXT
    )
    with pytest.raises(Unavailable):
        await drain(stream, shown)
    assert "garble" not in text_of(shown)


async def test_where_the_operator_says_so_the_guard_fails_open_and_it_shows() -> None:
    guard = FakeGuard(failure=RuntimeError())
    events = await collect(guard, policy(Mode.BLOCK, Mode.BLOCK, is_fail_open=True), Model())
    assert text_of(events) == "".join(HARMLESS)
    states = [event.verdict.state for event in events if isinstance(event, Screened)]
    assert states == [VerdictState.UNAVAILABLE] * 2


@pytest.mark.parametrize("mode", [Mode.SCORE, Mode.SHADOW])
async def test_a_failing_guard_never_stops_a_chat_it_only_watches(mode: Mode) -> None:
    events = await collect(FakeGuard(failure=RuntimeError()), policy(mode, mode), Model())
    assert text_of(events) == "".join(HARMLESS)
    assert finish_reasons(events) == {0: FinishReason.STOP}


@pytest.mark.parametrize("mode", [Mode.SCORE, Mode.SHADOW])
async def test_a_flagged_chat_is_only_marked_without_block(mode: Mode) -> None:
    events = await collect(FakeGuard(), policy(mode, mode), Model([["a ", "bomb"]]), prompt="a bomb")
    assert text_of(events) == "a bomb"
    assert all(event.verdict.is_flagged for event in events if isinstance(event, Screened))
    assert finish_reasons(events) == {0: FinishReason.STOP}


async def test_the_answer_is_judged_after_its_conversation() -> None:
    guard = FakeGuard()
    await collect(guard, policy(Mode.SCORE, Mode.SCORE), Model([["one ", "two"]]), prompt="a question")
    assert sorted(guard.judged) == [(Direction.INPUT, "a question"), (Direction.OUTPUT, "one two")]


async def test_thresholds_of_each_direction_reach_the_guard() -> None:
    guard = FakeGuard()
    rules = ScreeningPolicy(DirectionPolicy(Mode.SCORE, 0.3), DirectionPolicy(Mode.SCORE, 0.0), windows=SIZES)
    await collect(guard, rules, Model())
    assert sorted(guard.thresholds, key=str) == [0.0, 0.3]


async def test_categories_that_do_not_count_do_not_block() -> None:
    inward = DirectionPolicy(Mode.BLOCK, categories=frozenset({"S1"}))
    outward = DirectionPolicy(Mode.BLOCK, categories=frozenset({"S1"}))
    events = await collect(
        FakeGuard(), ScreeningPolicy(inward, outward, windows=SIZES), Model([["a bomb"]]), prompt="a bomb"
    )
    assert text_of(events) == "a bomb"
    assert all("S9" in event.verdict.reason for event in events if isinstance(event, Screened))


@pytest.mark.parametrize("outward", ALL_MODES)
async def test_the_models_own_error_comes_after_what_it_had_said(outward: Mode) -> None:
    model = Model([["word "] * 30], error=BackendFailed("lost"))
    shown: list[ScreenedEvent] = []
    stream = Screening(FakeGuard(), policy(Mode.BLOCK, outward)).stream([user("hi")], model.stream(), CONTEXT)
    with pytest.raises(BackendFailed):
        await drain(stream, shown)
    assert text_of(shown).startswith("word word ")
    assert model.is_closed


async def test_a_refusal_before_the_start_is_raised_as_it_is() -> None:
    async def refused() -> AsyncGenerator[StreamEvent, None]:
        raise ContextLengthExceeded(limit=1, prompt_tokens=2, asked_tokens=0, param="messages")
        yield Started(0, "")  # type: ignore[unreachable]

    with pytest.raises(ContextLengthExceeded):
        await anext(Screening(FakeGuard(), policy(Mode.BLOCK)).stream([user("hi")], refused(), CONTEXT))


@pytest.mark.parametrize("inward", ALL_MODES)
@pytest.mark.parametrize("outward", ALL_MODES)
async def test_closing_the_stream_closes_the_generation_and_the_check(inward: Mode, outward: Mode) -> None:
    guard, model = FakeGuard(delay=0.001), Model([["word "] * 400], stalls_at=60)
    stream = Screening(guard, policy(inward, outward)).stream([user("hi")], model.stream(), CONTEXT)
    await anext(stream)
    await stream.aclose()
    assert model.is_closed
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others


async def test_a_cancelled_consumer_frees_the_model_while_the_guard_still_judges() -> None:
    model = Model(stalls_at=1)
    task = asyncio.create_task(collect(FakeGuard(delay=60), policy(Mode.BLOCK, Mode.BLOCK), model))
    await model.has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.is_closed


@given(
    st.lists(st.text(alphabet="bom abc", max_size=6), max_size=60),
    st.sampled_from([Mode.OFF, Mode.BLOCK]),
)
def test_under_block_no_released_text_is_ever_unsafe(pieces: list[str], inward: Mode) -> None:
    model = Model([pieces or [""]])
    events = asyncio.run(collect(FakeGuard(), policy(inward, Mode.BLOCK), model))
    shown, whole = text_of(events), "".join(pieces)
    assert "bomb" not in shown
    assert whole.startswith(shown)
    assert ("bomb" in whole) == (finish_reasons(events)[0] is FinishReason.CONTENT_FILTER)
    assert "bomb" in whole or shown == whole

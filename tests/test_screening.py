"""Which guard screens a call, how strictly, and what the caller gets to notice of it."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from guard.base import Direction, Guard, GuardOptions, Screened
from guard.pipeline import Screening
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from tests.guard.fakes import FakeGuard, replace_embedded, user
from tests.sites import MODEL, scripted_workbench
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import Backend, ModelCard
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, GenerationRequest, TextPrompt, TokenPrompt
from workbench.core.errors import (
    ConfigurationError,
    ContentFiltered,
    Forbidden,
    NotFound,
    Unavailable,
    UnsupportedParameter,
    WorkbenchError,
)
from workbench.core.settings import Settings
from workbench.screening import Guards, ScreeningChoice
from workbench.service import CallOptions, Workbench

LLAMA = "meta/llama-guard"
MODES = (Mode.OFF, Mode.SHADOW, Mode.SCORE, Mode.BLOCK)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGuard:
    """A guard in the embedded one's place, which finds every "bomb" unsafe."""
    guard = FakeGuard(name="embedded")
    replace_embedded(monkeypatch, guard)
    return guard


def guards(configured: str | None = None, *, has_llama_guard: bool = False) -> Guards:
    cards = {MODEL: ModelCard(id=MODEL, source="script", backend="scripted")}
    if has_llama_guard:
        cards[LLAMA] = ModelCard(id=LLAMA, source="script", backend="scripted", guard="llama-guard-3-8b")
    catalogue = Catalogue(cards)
    pool = Pool(catalogue, lambda card, progress: ScriptedBackend([Script("safe")]))
    return Guards(configured, catalogue, pool)


def policy(inward: Mode, outward: Mode, threshold: float | None = None) -> ScreeningPolicy:
    return ScreeningPolicy(DirectionPolicy(inward, threshold), DirectionPolicy(outward, threshold))


def asking(mode: Mode, guard: str | None = None) -> ScreeningChoice:
    return ScreeningChoice(policy(mode, mode), guard)


def modes(screening: Screening | None) -> tuple[Mode, Mode]:
    assert screening is not None
    return screening.policy.input.mode, screening.policy.output.mode


class TestTheOperator:
    async def test_who_says_nothing_is_not_screened(self, fake: FakeGuard) -> None:
        assert await guards().screening(None) is None
        assert await guards("off").screening(None) is None
        assert await guards("").screening(None) is None

    async def test_a_guard_without_a_mode_marks_when_embedded(self, fake: FakeGuard) -> None:
        assert modes(await guards("embedded").screening(None)) == (Mode.SCORE, Mode.SCORE)

    async def test_a_llama_guard_without_a_mode_blocks(self) -> None:
        screening = await guards(LLAMA, has_llama_guard=True).screening(None)
        assert modes(screening) == (Mode.BLOCK, Mode.BLOCK)

    @pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.SCORE, Mode.BLOCK])
    async def test_a_mode_may_follow_the_name(self, fake: FakeGuard, mode: Mode) -> None:
        assert modes(await guards(f"embedded:{mode}").screening(None)) == (mode, mode)

    @pytest.mark.parametrize("configured", ["bouncer", "embedded:loud", "llama-guard-3-8b"])
    def test_a_guard_that_does_not_exist_is_a_wrong_setting(self, configured: str) -> None:
        with pytest.raises(ConfigurationError, match=r"WORKBENCH_GUARD.*embedded"):
            guards(configured)

    @pytest.mark.parametrize("kind", ["off", "embedded", "bouncer"])
    def test_a_model_cannot_be_a_guard_of_another_kind(self, kind: str) -> None:
        catalogue = Catalogue({"a": ModelCard(id="a", source="script", guard=kind)})
        with pytest.raises(ConfigurationError, match="llama-guard-4-12b"):
            Guards(None, catalogue, Pool(catalogue, lambda card, progress: ScriptedBackend()))

    def test_the_page_marks_with_the_embedded_guard_and_blocks_with_a_llama_guard(self) -> None:
        marks, blocks = guards().page_choice, guards(has_llama_guard=True).page_choice
        assert marks is not None
        assert blocks is not None
        assert (marks.guard, marks.policy.input.mode) == ("embedded", Mode.SCORE)
        assert (blocks.guard, blocks.policy.input.mode) == (LLAMA, Mode.BLOCK)
        assert guards("off").page_choice is None


class TestTheRequest:
    async def test_what_is_asked_is_what_is_done_where_nobody_else_speaks(self, fake: FakeGuard) -> None:
        asked = ScreeningChoice(policy(Mode.SCORE, Mode.OFF, 0.9), "embedded")
        screening = await guards().screening(asked)
        assert screening is not None
        assert screening.policy == asked.policy

    @pytest.mark.parametrize("asked", MODES)
    @pytest.mark.parametrize("laid_down", MODES)
    async def test_the_stricter_mode_counts(self, fake: FakeGuard, laid_down: Mode, asked: Mode) -> None:
        stricter = max(laid_down, asked, key=MODES.index)
        by_operator = await guards(f"embedded:{laid_down}").screening(asking(asked))
        assert modes(by_operator) == (stricter, stricter)
        if laid_down is not Mode.OFF:
            by_key = await guards().screening(asking(asked), laid_down)
            assert modes(by_key) == (stricter, stricter)

    async def test_key_and_operator_both_count(self, fake: FakeGuard) -> None:
        screening = await guards("embedded:score").screening(asking(Mode.SHADOW), "block")
        assert modes(screening) == (Mode.BLOCK, Mode.BLOCK)

    async def test_a_higher_threshold_does_not_loosen(self, fake: FakeGuard) -> None:
        asked = ScreeningChoice(policy(Mode.BLOCK, Mode.BLOCK, 0.99))
        screening = await guards("embedded:score").screening(asked)
        assert screening is not None
        assert screening.policy.input.threshold == fake.threshold_for(Direction.INPUT)
        assert screening.policy.output.threshold == fake.threshold_for(Direction.OUTPUT)

    async def test_another_guard_than_the_one_laid_down_is_refused(self) -> None:
        with pytest.raises(UnsupportedParameter) as refused:
            await guards(LLAMA, has_llama_guard=True).screening(asking(Mode.BLOCK, "embedded"))
        assert refused.value.param == "moderation.model"

    @pytest.mark.parametrize("configured", [None, "embedded:block"])
    async def test_a_guard_that_does_not_exist_is_not_found(self, configured: str | None) -> None:
        asked = replace(asking(Mode.SCORE, "bouncer"), param="safety_model")
        with pytest.raises(NotFound) as refused:
            await guards(configured).screening(asked)
        assert (refused.value.param, refused.value.code) == ("safety_model", "model_not_found")
        assert "embedded" in refused.value.message

    async def test_a_key_that_must_be_screened_is_refused_where_there_is_no_guard(self) -> None:
        with pytest.raises(Unavailable) as refused:
            await guards("off").screening(None, "block")
        assert refused.value.code == "guard_unavailable"


class TestOpening:
    async def test_a_guard_is_opened_once_and_off_the_event_loop(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[threading.Thread] = []

        def open_slowly(options: GuardOptions, backend: Backend | None = None) -> Guard:
            threads.append(threading.current_thread())
            time.sleep(0.02)
            return FakeGuard(name=options.name)

        monkeypatch.setattr("guard.embedded.guard.open_guard", open_slowly)
        kept = guards()
        opened = await asyncio.gather(*(kept.open("embedded") for _ in range(5)))
        assert all(one is opened[0] for one in opened)
        assert len(threads) == 1
        assert threads[0] is not threading.current_thread()

    @pytest.mark.parametrize("failure", [FileNotFoundError("weights"), ValueError("calibration")])
    async def test_a_guard_that_cannot_be_opened_refuses_the_call(
        self, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        def fail(options: GuardOptions, backend: Backend | None = None) -> Guard:
            raise failure

        monkeypatch.setattr("guard.embedded.guard.open_guard", fail)
        with pytest.raises(Unavailable) as refused:
            await guards().screening(asking(Mode.SCORE))
        assert refused.value.code == "guard_unavailable"

    async def test_a_llama_guard_is_opened_over_its_model(self) -> None:
        opened = await guards(has_llama_guard=True).open(LLAMA)
        assert opened.name == LLAMA

    async def test_a_model_that_cannot_be_loaded_refuses_the_call(self) -> None:
        def fail(card: ModelCard, progress: object) -> Backend:
            raise WorkbenchError("No room.")

        catalogue = Catalogue({LLAMA: ModelCard(id=LLAMA, source="x", guard="llama-guard-3-8b")})
        with pytest.raises(Unavailable) as refused:
            await Guards(None, catalogue, Pool(catalogue, fail)).open(LLAMA)
        assert refused.value.code == "guard_unavailable"


def workbench(settings: Settings, configured: str | None = None, answer: str = "Fine.") -> Workbench:
    settings = settings.model_copy(update={"guard": configured})
    return scripted_workbench(ScriptedBackend([Script(answer)]), settings)


def chat(text: str) -> GenerationRequest:
    return GenerationRequest(MODEL, ChatPrompt((user(text),)))


class TestTheService:
    async def test_a_shadow_is_not_noticed_although_everything_is_judged(
        self, settings: Settings, fake: FakeGuard
    ) -> None:
        service = workbench(settings, "embedded:shadow")
        events = [event async for event in service.stream(chat("a bomb"), LOCAL_USER)]
        assert not any(isinstance(event, Screened) for event in events)
        assert [direction for direction, _ in fake.judged] == [Direction.INPUT, Direction.OUTPUT]

    async def test_a_request_can_step_out_of_the_shadow(self, settings: Settings, fake: FakeGuard) -> None:
        told: list[Screening] = []
        asked = ScreeningChoice(policy(Mode.SCORE, Mode.OFF))
        options = CallOptions(screening=asked, on_screen=told.append)
        stream = workbench(settings, "embedded:shadow").stream(chat("a bomb"), LOCAL_USER, options)
        screened = [event async for event in stream if isinstance(event, Screened)]
        assert [event.direction for event in screened] == [Direction.INPUT]
        assert [modes(one) for one in told] == [(Mode.SCORE, Mode.SHADOW)]

    async def test_the_keys_own_mode_counts(self, settings: Settings, fake: FakeGuard) -> None:
        caller = replace(LOCAL_USER, moderation="block")
        with pytest.raises(ContentFiltered):
            await workbench(settings).complete(chat("a bomb"), caller)

    async def test_a_plain_prompt_is_judged_as_the_users_turn(
        self, settings: Settings, fake: FakeGuard
    ) -> None:
        request = GenerationRequest(MODEL, TextPrompt("a bomb"))
        with pytest.raises(ContentFiltered) as refused:
            await workbench(settings, "embedded:block").complete(request, LOCAL_USER)
        assert refused.value.param == "prompt"

    async def test_token_ids_are_never_taken_for_safe(self, settings: Settings, fake: FakeGuard) -> None:
        request = GenerationRequest(MODEL, TokenPrompt((1, 2, 3)))
        with pytest.raises(UnsupportedParameter) as refused:
            await workbench(settings, "embedded:block").complete(request, LOCAL_USER)
        assert refused.value.param == "prompt"
        stream = workbench(settings, "embedded:score").stream(request, LOCAL_USER)
        first, *_ = [event async for event in stream if isinstance(event, Screened)]
        assert not first.verdict.is_available

    async def test_conversations_and_single_turns_are_judged_in_one_call(
        self, settings: Settings, fake: FakeGuard
    ) -> None:
        asked, answered = user("a bomb"), ChatPrompt((user("Hi"),)).messages
        service = workbench(settings)
        guard, verdicts = await service.moderate([(asked,), answered, *[(asked,)] * 40], LOCAL_USER)
        assert guard is fake
        assert [verdict.is_flagged for verdict in verdicts] == [True, False, *[True] * 40]
        assert max(fake.batches) < 42


class TestTheOverride:
    async def test_the_operator_is_told_where_anybody_else_is_stopped(self, fake: FakeGuard) -> None:
        for asked in (asking(Mode.BLOCK), asking(Mode.OFF)):
            screening = await guards("embedded:block").screening(replace(asked, is_override=True), "block")
            assert modes(screening) == (Mode.SCORE, Mode.SCORE)

    async def test_it_makes_nothing_stricter(self, fake: FakeGuard) -> None:
        screening = await guards().screening(replace(asking(Mode.SHADOW), is_override=True))
        assert modes(screening) == (Mode.SHADOW, Mode.SHADOW)

    async def test_nobody_but_the_operator_may(self, fake: FakeGuard, settings: Settings) -> None:
        workbench = scripted_workbench(ScriptedBackend([Script("ok")]), settings)
        request = GenerationRequest(MODEL, ChatPrompt((user("a bomb"),)))
        options = CallOptions(screening=replace(asking(Mode.BLOCK), is_override=True))
        stranger = replace(LOCAL_USER, is_admin=False)
        with pytest.raises(Forbidden, match="operator"):
            [event async for event in workbench.stream(request, stranger, options)]
        events = [event async for event in workbench.stream(request, LOCAL_USER, options)]
        assert [event.verdict.is_flagged for event in events if isinstance(event, Screened)] == [True, False]

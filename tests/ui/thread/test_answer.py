from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, ToolCall
from workbench.core.errors import BackendFailed, Stopping
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings
from workbench.service import Workbench
from workbench.ui.params.panel import PanelSettings
from workbench.ui.params.request_options import Options
from workbench.ui.thread.answer import Ask, Change, request_for, stream_answer
from workbench.ui.thread.session import ChatSession


@dataclass(frozen=True, slots=True)
class Chat:
    """A service over a script, and a session whose first message was just sent."""

    workbench: Workbench
    backend: ScriptedBackend
    session: ChatSession

    def answer(self, **values: object) -> AsyncGenerator[Change, None]:
        ask = Ask(MODEL, PanelSettings(params=GenerationParams.model_validate(values)))
        return stream_answer(self.workbench, self.session, ask, LOCAL_USER)


@pytest.fixture
def script() -> Script:
    return Script("one two three", reasoning="hm ", token_seconds=0.001)


@pytest.fixture
async def chat(settings: Settings, script: Script) -> AsyncGenerator[Chat, None]:
    backend = ScriptedBackend([script])
    workbench = scripted_workbench(backend, settings)
    session = ChatSession()
    session.begin("Count", MODEL)
    await workbench.start()
    yield Chat(workbench, backend, session)
    await workbench.stop()


async def test_the_answer_fills_the_turn_and_ends_with_its_numbers(chat: Chat) -> None:
    changes = [change async for change in chat.answer()]
    turn = chat.session.turns[-1]
    assert (turn.answer, turn.reasoning) == ("one two three", "hm ")
    assert turn.metrics is not None
    assert (turn.metrics.prompt_tokens, turn.metrics.completion_tokens) == (1, 4)
    assert turn.metrics.cost == pytest.approx(5 * 0.2 / 1e6)
    assert turn.metrics.finish_reason == "stop"
    assert changes[-1].has_text
    assert not chat.session.is_running


@pytest.mark.parametrize("script", [Script("word " * 1000, token_seconds=0.005)])
async def test_stopping_keeps_the_text_and_frees_the_place(chat: Chat) -> None:
    async with aclosing(chat.answer()) as changes:
        async for _ in changes:
            if chat.session.turns[-1].answer:
                chat.session.is_stopping = True
    assert chat.backend.running == 0
    metrics = chat.session.turns[-1].metrics
    assert metrics is not None
    assert metrics.finish_reason == "stopped"
    assert not chat.session.is_stopping


@pytest.mark.parametrize("script", [Script("word " * 1000, token_seconds=0.005)])
async def test_closing_the_generator_frees_the_place(chat: Chat) -> None:
    changes = chat.answer()
    async for _ in changes:
        if chat.session.turns[-1].answer:
            break
    assert chat.backend.running == 1
    await changes.aclose()
    assert (chat.backend.running, chat.backend.cancelled) == (0, 1)
    assert not chat.session.is_running


@pytest.mark.parametrize("script", [Script("", error=BackendFailed("It broke"))])
async def test_an_error_is_a_notice_and_leaves_the_turn_empty(chat: Chat) -> None:
    changes = [change async for change in chat.answer()]
    assert "It broke" in (changes[-1].notice or "")
    assert chat.session.turns[-1].metrics is None


async def test_every_setting_reaches_the_model(chat: Chat) -> None:
    async for _ in chat.answer(temperature=0.0, max_tokens=2, stop=["x"]):
        pass
    assert chat.backend.calls[-1].request.params == GenerationParams(
        temperature=0.0, max_tokens=2, stop=["x"]
    )


@pytest.mark.parametrize(
    "script", [Script("", tool_calls=(ToolCall("c1", "look", "{}"), ToolCall("c2", "hear", "{}")))]
)
async def test_tool_calls_are_answered_one_after_the_other(chat: Chat) -> None:
    async for _ in chat.answer():
        pass
    session = chat.session
    assert [call.name for call in session.turns[-1].tool_calls] == ["look", "hear"]
    assert session.begin("seen", MODEL).call_id == "c1"
    assert session.begin("heard", MODEL).call_id == "c2"
    assert session.open_call() is None
    said = [(message.role.value, message.content, message.tool_call_id) for message in session.messages("")]
    assert said == [
        ("user", "Count", None),
        ("assistant", "", None),
        ("tool", "seen", "c1"),
        ("tool", "heard", "c2"),
    ]


async def test_log_probabilities_come_with_the_tokens_when_asked_for(chat: Chat) -> None:
    ask = Ask(MODEL, PanelSettings(options=Options(logprobs=5)))
    async for _ in stream_answer(chat.workbench, chat.session, ask, LOCAL_USER):
        pass
    assert [token.text for token in chat.session.turns[-1].tokens] == ["one ", "two ", "three"]


async def test_two_tabs_stream_at_once(chat: Chat) -> None:
    other = ChatSession()
    other.begin("Again", MODEL)

    async def run(session: ChatSession) -> None:
        async for _ in stream_answer(chat.workbench, session, Ask(MODEL), LOCAL_USER):
            pass

    await asyncio.gather(run(chat.session), run(other))
    assert chat.session.turns[-1].answer == other.turns[-1].answer == "one two three"


def test_the_conversation_begins_with_the_system_prompt_and_ends_with_the_last_message() -> None:
    session = ChatSession()
    session.begin("One", MODEL).answer = "First"
    session.begin("Two", MODEL)
    prompt = request_for(session, Ask(MODEL, PanelSettings("Be brief"))).prompt
    assert isinstance(prompt, ChatPrompt)
    assert [(message.role.value, message.content) for message in prompt.messages] == [
        ("system", "Be brief"), ("user", "One"), ("assistant", "First"), ("user", "Two"),
    ]  # fmt: skip


def test_an_edited_turn_forgets_what_followed() -> None:
    session = ChatSession()
    for number in range(3):
        session.begin(f"Question {number}", MODEL).answer = "Answer"
    turn = session.begin_again(1, "Another", MODEL)
    assert [entry.user for entry in session.turns] == ["Question 0", "Another"]
    assert turn is session.turns[-1]
    assert turn.answer == ""


@pytest.mark.parametrize("script", [Script("word " * 200, token_seconds=0.01)])
async def test_a_server_that_has_no_more_time_ends_the_answer_and_says_why(chat: Chat) -> None:
    changes: list[Change] = []
    async for change in chat.answer():
        changes.append(change)
        if chat.session.turns[-1].answer:
            chat.workbench.end_streams()
    last = changes[-1]
    assert isinstance(last.error, Stopping)
    assert "The server is stopping" in (last.notice or "")
    turn = chat.session.turns[-1]
    assert turn.answer.startswith("word ")
    assert turn.metrics is not None
    assert turn.metrics.finish_reason == "failed"
    assert (chat.backend.running, chat.session.is_running) == (0, False)

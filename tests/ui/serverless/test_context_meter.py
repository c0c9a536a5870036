from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import Prompt
from workbench.core.errors import UnsupportedParameter
from workbench.core.settings import Settings
from workbench.service import Workbench
from workbench.ui.serverless.context_meter import context_meter_html, counted_meter_html, used_tokens
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.session import ChatSession, Turn


def session(prompt_tokens: int, completion_tokens: int) -> ChatSession:
    made = ChatSession()
    made.begin("q", "m").metrics = AnswerMetrics(
        None, None, prompt_tokens, completion_tokens, None, "stop", 0.0
    )
    return made


def imported() -> ChatSession:
    return ChatSession([Turn("one two", answer="three"), Turn("four", answer="five six seven")])


@pytest.fixture
async def workbench(settings: Settings) -> AsyncGenerator[Workbench, None]:
    made = scripted_workbench(ScriptedBackend(), settings)
    yield made
    await made.stop()


def test_the_answer_counts_because_it_is_part_of_the_next_prompt() -> None:
    assert used_tokens(session(1000, 200)) == 1200
    assert "1,200 of 8,192 tokens" in context_meter_html(1200, 8192)


@pytest.mark.parametrize(("used", "is_marked"), [(100, False), (799, False), (800, True), (5000, True)])
def test_a_nearly_full_context_is_marked(used: int, is_marked: bool) -> None:
    meter = context_meter_html(used, 1000)
    assert ("wb-marked" in meter) is is_marked
    assert 'aria-valuemax="1000"' in meter


def test_without_an_answer_or_a_known_context_there_is_no_meter() -> None:
    assert used_tokens(ChatSession()) is None
    assert context_meter_html(None, 8192) == ""
    assert context_meter_html(2, None) == ""


async def test_an_imported_conversation_is_counted_by_the_model_that_is_to_go_on(
    workbench: Workbench,
) -> None:
    await workbench.warm(MODEL, LOCAL_USER)
    assert used_tokens(imported()) is None
    meter = await counted_meter_html(workbench, imported(), "Be brief", MODEL, LOCAL_USER)
    assert f"{2 + 7} of 4,096 tokens" in meter


async def test_no_model_is_loaded_for_a_number(workbench: Workbench) -> None:
    assert await counted_meter_html(workbench, imported(), "", MODEL, LOCAL_USER) == ""
    assert not workbench.model(MODEL, LOCAL_USER).has_loaded


async def test_an_endpoint_that_cannot_count_leaves_the_meter_empty(settings: Settings) -> None:
    class Mute(ScriptedBackend):
        async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
            raise UnsupportedParameter("This endpoint does not tell its tokens.")

    workbench = scripted_workbench(Mute(), settings)
    await workbench.warm(MODEL, LOCAL_USER)
    assert await counted_meter_html(workbench, imported(), "", MODEL, LOCAL_USER) == ""
    await workbench.stop()

"""How a continuation is scored, and what is remembered of a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from evaluators.timing import RequestClass, Side
from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, FinishReason, Message, Prompt, Role, TokenPrompt, TrafficClass
from workbench.core.errors import BackendFailed, RateLimited
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings
from workbench.experiments.run.calls import Ask, Reply, patiently
from workbench.experiments.run.service_respondent import ServiceRespondent, shared_length

ASK = Ask(
    MODEL, ChatPrompt((Message(Role.USER, "Hello"),)), GenerationParams(max_tokens=3), TrafficClass.BATCH
)


@pytest.fixture
async def respondent(settings: Settings, backend: ScriptedBackend) -> AsyncGenerator[ServiceRespondent, None]:
    workbench = scripted_workbench(backend, settings)
    yield ServiceRespondent(workbench, LOCAL_USER)
    await workbench.stop(0)


async def test_only_the_continuations_tokens_count(respondent: ServiceRespondent) -> None:
    reply = await respondent.likelihood(MODEL, "three words here", " and two")
    assert reply.likelihood is not None
    # The script's context ends in "here", and with a continuation in "here ": both are its third token.
    assert reply.likelihood.tokens == 2
    assert reply.likelihood.logprob == pytest.approx(2 * -0.25)
    assert reply.timing.outcome is RequestClass.OK


async def test_choices_are_sent_as_token_ids(respondent: ServiceRespondent, backend: ScriptedBackend) -> None:
    await respondent.likelihood(MODEL, "a question", " an answer")
    request = backend.calls[-1].request
    assert isinstance(request.prompt, TokenPrompt)
    assert request.params.max_tokens == 0
    assert request.prompt_logprobs


async def test_times_are_the_servers_and_in_order(respondent: ServiceRespondent) -> None:
    timing = (await respondent.answer(ASK)).timing
    assert timing.side is Side.SERVER
    assert timing.output_tokens == len(timing.token_times) == 3
    assert timing.admitted is not None
    assert timing.first_token is not None
    assert timing.sent <= timing.admitted <= timing.first_token <= timing.end


async def test_a_cut_answer_is_truncated_unless_its_length_was_asked_for(
    respondent: ServiceRespondent,
) -> None:
    reply = await respondent.answer(ASK)
    assert reply.finish_reason is FinishReason.LENGTH
    assert reply.timing.outcome is RequestClass.TRUNCATED


async def test_a_failure_is_a_reply_with_a_code_and_no_text(settings: Settings) -> None:
    broken = ScriptedBackend([Script("part", error=BackendFailed("quotes the prompt"))])
    workbench = scripted_workbench(broken, settings)
    reply = await ServiceRespondent(workbench, LOCAL_USER).answer(ASK)
    await workbench.stop(0)
    assert reply.timing.outcome is RequestClass.FAILED
    assert reply.timing.error == "BackendFailed"


async def test_a_busy_server_is_asked_again(settings: Settings) -> None:
    answers = iter([Script("", error=RateLimited("busy")), Script("Hello there friend")])
    workbench = scripted_workbench(ScriptedBackend(answer=lambda request: next(answers)), settings)
    respondent = ServiceRespondent(workbench, LOCAL_USER)

    async def ask() -> Reply:
        return await respondent.answer(ASK)

    reply = await patiently(ask, wait_seconds=0.0)
    await workbench.stop(0)
    assert reply.text.startswith("Hello")


@pytest.mark.parametrize(
    ("first", "second", "length"),
    [((1, 2), (1, 2, 3), 2), ((1, 9), (1, 2, 3), 1), ((), (1,), 0), ((1, 2, 3), (1, 2), 2)],
)
def test_context_ends_where_the_tokens_part(
    first: tuple[int, ...], second: tuple[int, ...], length: int
) -> None:
    assert shared_length(first, second) == length


class _Unreadable(ScriptedBackend):
    """Its tokenizer is gone."""

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        raise BackendFailed("gone", code="model_unavailable")


async def test_a_text_that_cannot_be_tokenized_is_a_failed_request(settings: Settings) -> None:
    workbench = scripted_workbench(_Unreadable(), settings)
    reply = await ServiceRespondent(workbench, LOCAL_USER).likelihood(MODEL, "a question", " an answer")
    await workbench.stop(0)
    assert reply.timing.outcome is RequestClass.FAILED
    assert reply.timing.error == "model_unavailable"
    assert reply.likelihood is None

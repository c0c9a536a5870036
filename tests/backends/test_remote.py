"""A second instance of our own as a remote endpoint: probing, streaming, scoring, and its errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from tests.sites import LiveServer, serve_live
from workbench.backends.remote import RemoteBackend, open_backend
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import CallContext, ModelCard
from workbench.core.chat import (
    ChatPrompt,
    Completion,
    CompletionBuilder,
    FinishReason,
    GenerationRequest,
    Message,
    OutputFormat,
    Role,
    TextPrompt,
    ToolCall,
)
from workbench.core.errors import (
    ConfigurationError,
    InvalidRequest,
    RateLimited,
    UnsupportedParameter,
    WeightsError,
)
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings

CHAT = ChatPrompt((Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Say hello.")))


def answer(request: GenerationRequest) -> Script:
    """Varies with the seed when hot; knows top_k and repetition_penalty but not min_p."""
    params = request.params
    is_hot = (params.temperature or 0.0) > 1.0 and params.top_k != 1 and (params.top_p or 1.0) > 0.1
    if request.output_format is not None:
        return Script('{"a":1}')
    if params.repetition_penalty is not None:
        return Script("Sea sea sea sea.")
    return Script(f"Waves number {params.seed if is_hot else 0} roll over the quiet sea.")


@pytest.fixture
def remote_site(tmp_path: Path) -> Iterator[LiveServer]:
    with serve_live(tmp_path, ScriptedBackend(answer=answer)) as server:
        yield server


def card(server: LiveServer, **kwargs: object) -> ModelCard:
    return ModelCard(
        id="far/away", source=server.base_url, backend="remote", region="elsewhere",
        remote_model=server.model, api_key_env="FAR_KEY", **kwargs,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
async def remote(
    remote_site: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[RemoteBackend, None]:
    monkeypatch.setenv("FAR_KEY", remote_site.api_key)
    backend = await asyncio.to_thread(open_backend, card(remote_site), settings, lambda stage, fraction: None)
    remote_site.backend.calls.clear()
    yield backend
    await backend.close()


async def complete(backend: RemoteBackend, request: GenerationRequest) -> Completion:
    builder = CompletionBuilder()
    async for event in backend.stream(request, CallContext("test")):
        builder.add(event)
    return builder.completion()


async def test_the_probe_tells_what_is_honoured_and_what_is_ignored(remote: RemoteBackend) -> None:
    assert {"n", "logprobs", "json_schema"} <= remote.info.features
    assert remote.info.ignored_params == {"min_p"}


async def test_a_chat_arrives_as_it_was_asked_and_comes_back_whole(
    remote: RemoteBackend, remote_site: LiveServer
) -> None:
    params = GenerationParams(
        temperature=0.0, max_tokens=9, top_k=5, seed=0, stop=["x"], presence_penalty=0.5
    )
    completion = await complete(remote, GenerationRequest("far/away", CHAT, params, n=2, logprobs=1))
    (call,) = remote_site.backend.calls
    assert isinstance(call.request.prompt, ChatPrompt)
    assert call.request.prompt.messages == CHAT.messages
    assert call.request.params.set_fields() == params.set_fields()
    assert (call.request.n, call.request.logprobs) == (2, 1)
    assert [choice.content for choice in completion.choices] == [
        "Waves number 0 roll over the quiet sea."
    ] * 2
    assert completion.choices[0].finish_reason is FinishReason.STOP
    assert completion.choices[0].logprobs[0].logprob == -0.25
    assert completion.usage.prompt_tokens == 4
    assert completion.usage.completion_tokens == 16


async def test_tool_calls_come_back_whole(remote: RemoteBackend, remote_site: LiveServer) -> None:
    calls = (ToolCall("call_1", "get_weather", '{"city": "Paris"}'),)
    remote_site.backend._answer = lambda request: Script("", tool_calls=calls)
    completion = await complete(remote, GenerationRequest("far/away", CHAT))
    assert completion.choices[0].tool_calls == calls
    assert completion.choices[0].finish_reason is FinishReason.TOOL_CALLS


async def test_what_the_endpoint_does_not_honour_is_refused_by_name(
    remote: RemoteBackend, remote_site: LiveServer
) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        await complete(remote, GenerationRequest("far/away", CHAT, GenerationParams(min_p=0.1)))
    assert caught.value.param == "min_p"
    assert remote_site.backend.calls == []


async def test_a_prompts_own_logprobs_come_through_echo(remote: RemoteBackend) -> None:
    asked = GenerationRequest(
        "far/away",
        TextPrompt("The sea is wide"),
        GenerationParams(max_tokens=0),
        logprobs=0,
        prompt_logprobs=True,
    )
    scores = (await complete(remote, asked)).started.prompt_logprobs
    assert [score.text for score in scores] == ["The ", "sea ", "is ", "wide"]
    assert [score.logprob for score in scores] == [None, -0.25, -0.25, -0.25]


async def test_a_reader_that_leaves_ends_the_remote_generation(
    remote: RemoteBackend, remote_site: LiveServer
) -> None:
    remote_site.backend._answer = lambda request: Script("word " * 2000, token_seconds=0.01)
    stream = remote.stream(GenerationRequest("far/away", CHAT), CallContext("test"))
    async for event in stream:
        if getattr(event, "content", ""):
            break
    await stream.aclose()
    for _ in range(100):
        if remote_site.backend.running == 0:
            break
        await asyncio.sleep(0.05)
    assert remote_site.backend.running == 0


async def test_the_endpoints_errors_become_ours(remote: RemoteBackend, remote_site: LiveServer) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await complete(remote, GenerationRequest("far/away", CHAT, GenerationParams(max_tokens=10**6)))
    assert "context" in refused.value.message
    remote_site.backend._answer = lambda request: Script("half", error=RateLimited("busy"))
    with pytest.raises(Exception, match="middle"):
        await complete(remote, GenerationRequest("far/away", CHAT))


async def test_structured_output_is_passed_on(remote: RemoteBackend, remote_site: LiveServer) -> None:
    wanted = OutputFormat({"type": "object"}, "thing")
    completion = await complete(remote, GenerationRequest("far/away", CHAT, output_format=wanted))
    assert completion.choices[0].content == '{"a":1}'
    assert remote_site.backend.calls[0].request.output_format == wanted


def test_a_missing_key_and_a_silent_endpoint_say_what_to_do(
    remote_site: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAR_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="FAR_KEY"):
        open_backend(card(remote_site), settings, lambda stage, fraction: None)
    monkeypatch.setenv("FAR_KEY", "wrong")
    with pytest.raises(WeightsError, match="refused its key"):
        open_backend(card(remote_site), settings, lambda stage, fraction: None)
    silent = ModelCard(id="far/away", source="http://127.0.0.1:9/v1", backend="remote")
    with pytest.raises(WeightsError, match="cannot be reached"):
        open_backend(silent, settings, lambda stage, fraction: None)

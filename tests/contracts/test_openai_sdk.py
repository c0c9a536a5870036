"""The official SDK against a real server: answers become its types, errors its exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.sites import MODEL, LiveServer, serve_live
from workbench.backends.scripted import Script, ScriptedBackend, prompt_words
from workbench.core.chat import GenerationRequest, ToolCall
from workbench.core.errors import Overloaded, RateLimited

MESSAGES = [{"role": "user", "content": "Say hello"}]


def script_for(request: GenerationRequest) -> Script:
    """What the prompt's last word asks for."""
    text = "".join(prompt_words(request.prompt))
    if "break" in text:
        return Script("One two", error=Overloaded("No memory left."))
    if "busy" in text:
        return Script("", error=RateLimited("Concurrent request limit reached, please try again later"))
    if "tool" in text:
        return Script("", tool_calls=(ToolCall("call_1", "add", '{"a": 1}'),))
    return Script(reasoning="Hm. ")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home: Path = tmp_path_factory.mktemp("home")
    with serve_live(home, ScriptedBackend(answer=script_for)) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as made:
        yield made


def test_a_chat_completion_is_parsed(client: Any) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0.5, seed=1)
    assert answer.choices[0].message.content == "Hello! This answer comes from a script."
    assert answer.choices[0].message.reasoning_content == "Hm. "
    assert answer.usage.total_tokens == 10
    assert answer._request_id.startswith("req_")


def test_a_chat_stream_is_parsed(client: Any) -> None:
    stream = client.chat.completions.create(
        model=MODEL,
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Hello! This answer comes from a script."
    assert chunks[-1].usage is not None


def test_the_sdks_own_stream_helper_adds_up_the_answer(client: Any) -> None:
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "Hello! This answer comes from a script."


def test_tool_calls_are_parsed_and_can_be_sent_back(client: Any) -> None:
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    asked = [{"role": "user", "content": "use the tool"}]
    answer = client.chat.completions.create(model=MODEL, messages=asked, tools=tools)
    message = answer.choices[0].message
    assert message.tool_calls[0].function.arguments == '{"a": 1}'
    back = [*MESSAGES, message.model_dump(), {"role": "tool", "tool_call_id": "call_1", "content": "2"}]
    again = client.chat.completions.create(model=MODEL, messages=back)
    assert again.choices[0].finish_reason == "stop"


def test_completions_are_parsed_streamed_or_not(client: Any) -> None:
    whole = client.completions.create(model=MODEL, prompt=["a", "b"], n=2, echo=True, logprobs=1)
    assert [choice.index for choice in whole.choices] == [0, 1, 2, 3]
    pieces = client.completions.create(model=MODEL, prompt="a ", stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "Hm. Hello! This answer comes from a script."


def test_models_are_listed_and_found(client: Any) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL


def test_a_wrong_key_is_an_authentication_error(server: LiveServer) -> None:
    stranger = OpenAI(base_url=server.base_url, api_key="wb-" + "x" * 43, max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError) as caught:
        stranger.models.list()
    assert caught.value.code == "invalid_api_key"
    assert "Invalid API key" in caught.value.message
    assert "x" * 43 not in caught.value.message


def test_each_failure_is_the_sdks_own_exception(client: Any) -> None:
    def chat(text: str = "Hi", model: str = MODEL, **fields: object) -> None:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **fields)

    with pytest.raises(openai.NotFoundError) as missing:
        chat(model="no/such")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as too_hot:
        chat(temperature=9)
    assert (too_hot.value.param, too_hot.value.type) == ("temperature", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as unknown:
        chat(extra_body={"colour": "red"})
    assert (unknown.value.param, unknown.value.code) == ("colour", "unsupported_parameter")
    with pytest.raises(openai.BadRequestError) as long:
        chat("word " * 5000)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.RateLimitError) as busy:
        chat("busy")
    assert (busy.value.code, busy.value.type) == ("rate_limit_exceeded", "requests")
    with pytest.raises(openai.InternalServerError) as broken:
        chat("break")
    assert broken.value.code == "overloaded"


def test_a_failure_in_the_middle_of_a_stream_is_an_api_error(client: Any) -> None:
    broken = [{"role": "user", "content": "break"}]
    stream = client.chat.completions.create(model=MODEL, messages=broken, stream=True)
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert (caught.value.message, caught.value.code) == ("No memory left.", "overloaded")

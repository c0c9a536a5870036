from __future__ import annotations

from typing import Any

import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk

from tests.api.events import read_events
from tests.sites import MODEL, OTHER_MODEL, Site
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ToolCall
from workbench.core.errors import Overloaded

CHAT = "/openai/v1/chat/completions"
TEXT = "/openai/v1/completions"


async def chunks(site: Site, route: str = CHAT, **fields: Any) -> list[dict[str, Any]]:
    asked = (
        {"prompt": "Once upon"} if route == TEXT else {"messages": [{"role": "user", "content": "Say hello"}]}
    )
    answer = await site.client.post(route, json={"model": MODEL, "stream": True, **asked, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = read_events(answer.text)
    for chunk in found:
        if "error" not in chunk:
            validate(chunk)
    return found


def validate(chunk: dict[str, Any]) -> None:
    """Raises for a chunk that is not of OpenAI's type, which forgets that a text's pieces have no finish yet."""
    if chunk["object"] == "text_completion":
        choices = [
            {**choice, "finish_reason": choice["finish_reason"] or "stop"} for choice in chunk["choices"]
        ]
        Completion.model_validate({**chunk, "choices": [{**choice, "logprobs": None} for choice in choices]})
    else:
        ChatCompletionChunk.model_validate(chunk)


async def test_a_chat_stream_is_role_then_content_then_finish(site: Site) -> None:
    first, *pieces, last = [chunk["choices"][0] for chunk in await chunks(site)]
    assert first["delta"] == {"role": "assistant", "content": ""}
    assert "".join(piece["delta"]["content"] for piece in pieces) == "Hello! This answer comes from a script."
    assert all(piece["finish_reason"] is None for piece in pieces)
    assert (last["delta"], last["finish_reason"]) == ({}, "stop")


async def test_all_chunks_share_id_model_and_time(site: Site) -> None:
    found = await chunks(site)
    assert (
        len({(chunk["id"], chunk["model"], chunk["created"], chunk["system_fingerprint"]) for chunk in found})
        == 1
    )
    assert all("usage" not in chunk for chunk in found)


@pytest.mark.parametrize("route", [CHAT, TEXT])
async def test_usage_comes_last_without_choices_and_is_null_before(site: Site, route: str) -> None:
    *before, last = await chunks(site, route, stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 7
    assert all(chunk["usage"] is None for chunk in before)


@pytest.mark.parametrize("route", [CHAT, TEXT])
async def test_continuous_usage_counts_up(site: Site, route: str) -> None:
    found = await chunks(site, route, stream_options={"continuous_usage_stats": True})
    counts = [chunk["usage"]["completion_tokens"] for chunk in found]
    assert counts == sorted(counts)
    assert counts[-1] == 7
    assert {chunk["usage"]["prompt_tokens"] for chunk in found} == {2}
    assert all(chunk["choices"] for chunk in found)


@pytest.mark.parametrize("route", [CHAT, TEXT])
@pytest.mark.parametrize("options", [None, {"include_usage": True}])
async def test_what_was_applied_is_in_the_last_chunk_alone(
    site: Site, route: str, options: dict[str, bool] | None
) -> None:
    *before, last = await chunks(site, route, n=2, x_effective=True, seed=4, stream_options=options)
    assert last["x_effective"]["seed"] == 4
    assert not any("x_effective" in chunk for chunk in before)


@pytest.mark.parametrize("route", [CHAT, TEXT])
@pytest.mark.parametrize("options", [None, {"include_usage": True}])
async def test_the_servers_times_are_in_the_last_chunk_alone(
    site: Site, route: str, options: dict[str, bool] | None
) -> None:
    *before, last = await chunks(site, route, x_timing=True, stream_options=options)
    times = last["x_timing"]
    assert times["ttft_seconds"] + times["decode_seconds"] == pytest.approx(times["end_to_end_seconds"])
    assert times["tpot_seconds"] == pytest.approx(times["decode_seconds"] / 6)
    assert not any("x_timing" in chunk for chunk in before)


async def test_every_choice_has_a_role_and_a_finish(site: Site) -> None:
    choices = [chunk["choices"][0] for chunk in await chunks(site, n=2)]
    assert [choice["index"] for choice in choices if "role" in choice["delta"]] == [0, 1]
    assert [choice["index"] for choice in choices if choice["finish_reason"]] == [0, 1]


async def test_a_text_stream_numbers_choices_prompt_by_prompt(site: Site) -> None:
    texts: dict[int, str] = {}
    for chunk in await chunks(site, TEXT, prompt=["a ", "b "], n=2, echo=True):
        (choice,) = chunk["choices"]
        texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
    answer = "Hello! This answer comes from a script."
    assert texts == {0: f"a {answer}", 1: f"a {answer}", 2: f"b {answer}", 3: f"b {answer}"}


async def test_offsets_go_on_from_chunk_to_chunk(site: Site) -> None:
    found = [chunk["choices"][0] for chunk in await chunks(site, TEXT, logprobs=0, echo=True)]
    pieces = [choice for choice in found if choice["logprobs"] is not None]
    text = "".join(piece["text"] for piece in pieces)
    for piece in pieces:
        arrays = piece["logprobs"]
        for token, offset in zip(arrays["tokens"], arrays["text_offset"], strict=True):
            assert text[offset : offset + len(token)] == token


async def test_a_refusal_keeps_its_http_status(site: Site) -> None:
    sent = {"model": "no/such", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    answer = await site.client.post(CHAT, json=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestFailures:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("One two", error=Overloaded("No memory left."))])

    @pytest.mark.parametrize("route", [CHAT, TEXT])
    async def test_an_error_in_the_middle_is_an_event_and_then_done(self, site: Site, route: str) -> None:
        *_, last = await chunks(site, route)
        assert last == {
            "error": {
                "message": "No memory left.",
                "type": "server_error",
                "param": None,
                "code": "overloaded",
            }
        }


class TestBugs:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("One", error=KeyError("secret prompt"))])  # type: ignore[arg-type]

    async def test_a_bug_in_the_middle_tells_nothing_of_its_text(
        self, site: Site, capfd: pytest.CaptureFixture[str]
    ) -> None:
        *_, last = await chunks(site)
        assert last["error"]["type"] == "server_error"
        written = capfd.readouterr()
        assert "KeyError" in written.out + written.err
        assert "secret prompt" not in written.out + written.err + str(last)


class TestTools:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("Well.", reasoning="Hm. ", tool_calls=(ToolCall("c1", "add", "{}"),))])

    async def test_reasoning_and_tool_calls_have_deltas_of_their_own(self, site: Site) -> None:
        deltas = [chunk["choices"][0]["delta"] for chunk in await chunks(site)]
        assert deltas[1:] == [
            {"reasoning_content": "Hm. ", "reasoning": "Hm. "},
            {"content": "Well."},
            {
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "add", "arguments": "{}"},
                    }
                ]
            },
            {},
        ]


async def test_models_of_the_catalogue_answer_each_under_its_name(site: Site) -> None:
    assert {chunk["model"] for chunk in await chunks(site, model=OTHER_MODEL)} == {OTHER_MODEL}

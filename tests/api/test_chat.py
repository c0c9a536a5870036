from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from tests.sites import MODEL, Site
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ToolCall
from workbench.core.errors import Overloaded

ROUTE = "/openai/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Say hello"}]


async def ask(site: Site, **fields: Any) -> dict[str, Any]:
    answer = await site.client.post(ROUTE, json={"model": MODEL, "messages": MESSAGES, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    ChatCompletion.model_validate(body, strict=True)
    return body


async def test_an_answer_has_openais_shape(site: Site) -> None:
    body = await ask(site)
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["model"] == MODEL
    assert body["system_fingerprint"] == "scripted-1"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello! This answer comes from a script.",
                "refusal": None,
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"] == {
        "prompt_tokens": 2, "completion_tokens": 7, "total_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    assert not {"x_effective", "x_timing"} & set(body)


async def test_every_choice_is_there_and_counted(site: Site) -> None:
    body = await ask(site, n=3)
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert body["usage"]["completion_tokens"] == 21


async def test_max_tokens_ends_an_answer_with_length(site: Site) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        (choice,) = (await ask(site, **{name: 2}))["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello! This ", "length")


async def test_parameters_reach_the_backend_as_they_were_sent(site: Site) -> None:
    sent = {
        "temperature": 0, "top_p": 0.5, "top_k": -1, "min_p": 0.1, "presence_penalty": -2, "frequency_penalty": 2,
        "repetition_penalty": 1.5, "seed": -1, "min_tokens": 1, "ignore_eos": True, "max_tokens": 0,
        "stop": ["x"], "logit_bias": {"5": -100},
    }  # fmt: skip
    await ask(site, **sent)
    assert site.backend.calls[0].request.params.set_fields() == sent


async def test_the_callers_scope_and_the_requests_id_reach_the_backend(site: Site) -> None:
    answer = await site.client.post(ROUTE, json={"model": MODEL, "messages": MESSAGES})
    (call,) = site.backend.calls
    assert (call.context.scope, call.context.request_id) == ("key_test", answer.headers["x-request-id"])


async def test_what_was_applied_is_reported_on_request(site: Site) -> None:
    assert (await ask(site, x_effective=True, seed=5))["x_effective"]["seed"] == 5


async def test_the_servers_times_are_told_on_request_and_add_up(site: Site) -> None:
    times = (await ask(site, x_timing=True))["x_timing"]
    assert times["queue_seconds"] + times["prefill_seconds"] == pytest.approx(times["ttft_seconds"])
    assert times["ttft_seconds"] + times["decode_seconds"] == pytest.approx(times["end_to_end_seconds"])
    assert times["tpot_seconds"] == pytest.approx(times["decode_seconds"] / 6)


async def test_several_choices_have_no_time_per_token_and_no_token_no_first_one(site: Site) -> None:
    assert (await ask(site, n=2, x_timing=True))["x_timing"]["tpot_seconds"] is None
    times = (await ask(site, max_tokens=0, x_timing=True))["x_timing"]
    assert times["ttft_seconds"] is None
    assert times["end_to_end_seconds"] >= times["queue_seconds"]


async def test_logprobs_have_bytes_and_alternatives(site: Site) -> None:
    body = await ask(site, logprobs=True, top_logprobs=1, max_tokens=1)
    token = {"token": "Hello! ", "bytes": list(b"Hello! "), "logprob": -0.25}
    assert body["choices"][0]["logprobs"] == {
        "content": [{**token, "top_logprobs": [token]}],
        "refusal": None,
    }


class TestReasoning:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("Four.", reasoning="Two and two. ")])

    async def test_reasoning_stands_apart_under_both_names(self, site: Site) -> None:
        message = (await ask(site))["choices"][0]["message"]
        assert message["content"] == "Four."
        assert message["reasoning"] == message["reasoning_content"] == "Two and two. "


class TestToolCalls:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        calls = (ToolCall("call_1", "add", '{"a": 1}'), ToolCall("call_2", "add", '{"a": 2}'))
        return ScriptedBackend([Script("", tool_calls=calls)])

    async def test_tool_calls_leave_content_null(self, site: Site) -> None:
        (choice,) = (await ask(site, tools=[{"type": "function", "function": {"name": "add"}}]))["choices"]
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["content"] is None
        assert choice["message"]["tool_calls"] == [
            {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
            {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}},
        ]


class TestFailure:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("Half", error=Overloaded("No memory left.", retry_after_seconds=2.5))])

    async def test_an_error_in_the_middle_gives_its_status(self, site: Site) -> None:
        answer = await site.client.post(ROUTE, json={"model": MODEL, "messages": MESSAGES})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert answer.json() == {
            "error": {
                "message": "No memory left.",
                "type": "server_error",
                "param": None,
                "code": "overloaded",
            }
        }


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_says_what_is_left_of_the_limits(site: Site, stream: bool) -> None:
    sent = {"model": MODEL, "messages": MESSAGES, "stream": stream}
    headers = (await site.client.post(ROUTE, json=sent)).headers
    assert int(headers["x-ratelimit-limit-requests"]) > int(headers["x-ratelimit-remaining-requests"]) >= 0
    assert headers["x-ratelimit-reset-requests"]

from __future__ import annotations

import json

import pytest

from snippets import Endpoint
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, OutputFormat, Role, ToolCall
from workbench.core.errors import InvalidRequest, RateLimited
from workbench.core.params import GenerationParams
from workbench.ui.thread.metrics import AnswerMetrics
from workbench.ui.thread.sent_calls import call_record, read_sent, records_json
from workbench.ui.thread.session import Turn

METRICS = AnswerMetrics(0.1, 10.0, 2, 5, None, "stop", 0.5)
REQUEST = GenerationRequest(
    "m", ChatPrompt((Message(Role.USER, "Hi"),)), GenerationParams(temperature=0), report_effective=True,
    output_format=OutputFormat(),
)  # fmt: skip


def test_a_record_has_the_body_the_api_would_have_carried() -> None:
    record = call_record("Chat", REQUEST, Turn("Hi", answer="Hello", metrics=METRICS), None)
    assert record["body"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0,
        "response_format": {"type": "json_object"},
        "stream": True,
    }
    assert (record["source"], record["status"], record["milliseconds"]) == ("Chat", 200, 500)
    assert record["response"]["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}
    assert record["response"]["usage"] == {"prompt_tokens": 2, "completion_tokens": 5}


def test_reasoning_and_tool_calls_are_in_the_response() -> None:
    turn = Turn("Hi", reasoning="Hm", tool_calls=(ToolCall("c", "look", "{}"),), metrics=METRICS)
    message = call_record("Chat", REQUEST, turn, None)["response"]["choices"][0]["message"]
    assert message["reasoning_content"] == "Hm"
    assert message["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}


def test_a_refused_call_has_its_status_and_reason() -> None:
    record = call_record("Chat", REQUEST, Turn("Hi"), RateLimited("Come back"))
    assert record["status"] == 429
    assert record["response"]["error"]["message"] == "Come back"


def test_a_record_comes_back_as_a_request() -> None:
    (record,) = json.loads(records_json([call_record("Chat", REQUEST, Turn("Hi"), None)]))
    sent = read_sent(json.dumps(record), "http://here/openai/v1", "wb-x")
    assert (sent.endpoint, sent.key) == (Endpoint.CHAT, "wb-x")
    assert sent.body == record["body"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"endpoint": "models", "body": {}}',
        '{"endpoint": "completions", "body": {"a": "secret"}}',
    ],
)
def test_anything_else_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not a call") as refused:
        read_sent(text, "http://here/openai/v1")
    assert "secret" not in refused.value.message

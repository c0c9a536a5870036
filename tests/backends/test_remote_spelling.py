"""An endpoint that knows a parameter under another name, and one that does not know it at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from openai import OpenAI

from workbench.backends.remote_probe import Probed, probe
from workbench.backends.remote_wire import call_arguments
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, OutputFormat, Role
from workbench.core.params import GenerationParams

NAME = "repetition_penalty"


def probed(
    known: str,
    is_refused: Callable[[dict[str, Any]], bool] = lambda body: False,
    *,
    schema_type: str | None = None,
    json_text: str = '{ "a": 1 }',
) -> Probed:
    """What the probe finds at an endpoint whose answer depends on the field `known`, and on one type of format."""

    def respond(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/chat/completions"):
            return httpx.Response(404, json={"error": {"message": "no such route"}})
        body = json.loads(request.content)
        if is_refused(body):
            return httpx.Response(422, json={"error": {"message": "no such field"}})
        asked_type = body.get("response_format", {}).get("type")
        if asked_type not in (None, schema_type):
            return httpx.Response(500, json={"error": {"message": "no such type"}})
        text = f"The sea, {body.get(known)} times." if asked_type is None else json_text
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return httpx.Response(
            200,
            json={
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "far",
                "choices": [choice],
            },
        )

    transport = httpx.Client(transport=httpx.MockTransport(respond))
    with OpenAI(base_url="http://far/v1", api_key="none", max_retries=0, http_client=transport) as client:
        return probe(client, "far")


def test_a_schema_goes_out_as_the_endpoint_spells_it() -> None:
    found = probed("other", schema_type="json_object")
    assert "json_schema" in found.features
    prompt, schema = ChatPrompt((Message(Role.USER, "Hello"),)), {"type": "object"}
    request = GenerationRequest("far", prompt, output_format=OutputFormat(schema, "thing"))
    sent = call_arguments(request, "far", found.spelling)
    assert sent["response_format"] == {"type": "json_object", "schema": schema}
    usual = probed("other", schema_type="json_schema")
    sent = call_arguments(request, "far", usual.spelling)
    assert sent["response_format"]["type"] == "json_schema"


def test_json_that_does_not_follow_the_schema_is_no_schema() -> None:
    assert (
        "json_schema" not in probed("other", schema_type="json_object", json_text='{"sea": "wide"}').features
    )


def test_a_field_goes_out_under_the_name_that_the_endpoint_knows() -> None:
    found = probed("repeat_penalty")
    assert NAME not in found.ignored | found.refused
    prompt = ChatPrompt((Message(Role.USER, "Hello"),))
    request = GenerationRequest("far", prompt, GenerationParams(repetition_penalty=1.0, top_k=3))
    sent = call_arguments(request, "far", found.spelling)["extra_body"]
    assert sent == {"repeat_penalty": 1.0, "top_k": 3}


def test_a_field_that_the_endpoint_knows_by_our_name_keeps_it() -> None:
    found = probed(NAME)
    assert NAME not in found.ignored | found.refused
    assert not found.spelling


def test_a_field_without_effect_under_any_name_counts_as_ignored() -> None:
    assert NAME in probed("other").ignored


@pytest.mark.parametrize("known", ["repeat_penalty", NAME])
def test_a_field_that_is_refused_under_every_name_counts_as_refused(known: str) -> None:
    found = probed(known, lambda body: bool(body.keys() & {NAME, "repeat_penalty"}))
    assert NAME in found.refused
    assert NAME not in found.ignored


def test_a_refused_name_is_no_matter_where_the_other_is_known() -> None:
    found = probed("repeat_penalty", lambda body: NAME in body)
    assert NAME not in found.ignored | found.refused

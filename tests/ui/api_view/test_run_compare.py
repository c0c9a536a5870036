from __future__ import annotations

import json

import pytest

from snippets import SnippetRequest
from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Role
from workbench.core.errors import InvalidRequest
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings
from workbench.ui.api_view.run_compare import (
    Answered,
    agreement_html,
    body_json,
    compare_with_page,
    read_call,
    seed_of,
    with_seed,
)


def wanted(**params: object) -> SnippetRequest:
    prompt = ChatPrompt((Message(Role.USER, "Hello"),))
    generation = GenerationRequest(MODEL, prompt, GenerationParams.model_validate(params))
    return SnippetRequest(generation, "http://127.0.0.1/openai/v1", is_streamed=True)


def call(text: str, *, tokens: int = 3, status: int = 200) -> str:
    response = {
        "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"completion_tokens": tokens},
    }
    return json.dumps({"status": status, "milliseconds": 12.5, "response": response})


def test_a_request_without_a_seed_gets_one_and_is_not_streamed() -> None:
    body = json.loads(body_json(with_seed(wanted())))
    assert isinstance(body["seed"], int)
    assert "stream" not in body
    assert seed_of(json.dumps(body)) == body["seed"]


def test_a_seed_that_was_set_is_kept() -> None:
    assert with_seed(wanted(seed=7), 9).generation.params.seed == 7
    assert with_seed(wanted(), 9).generation.params.seed == 9


async def test_equal_answers_agree(settings: Settings) -> None:
    workbench = scripted_workbench(ScriptedBackend([Script("one two three")]), settings)
    verdict = await compare_with_page(workbench, with_seed(wanted(), 1), call("one two three"), LOCAL_USER)
    assert "agree: the same 3 tokens" in verdict
    assert "seed 1" in verdict


async def test_other_answers_are_shown_with_their_difference(settings: Settings) -> None:
    workbench = scripted_workbench(ScriptedBackend([Script("one two four")]), settings)
    verdict = await compare_with_page(workbench, with_seed(wanted(), 1), call("one two three"), LOCAL_USER)
    assert "differ" in verdict
    assert "<del>three</del><ins>four</ins>" in verdict


def test_an_equal_text_of_another_length_is_a_difference() -> None:
    verdict = agreement_html(Answered("a", "stop", 1, 0.1), Answered("a", "length", 2, 0.1), 1)
    assert "differ" in verdict


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", json.dumps({"status": 200, "milliseconds": 1, "response": {}})]
)
def test_a_call_that_gave_nothing_says_so(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no answer"):
        read_call(text)


def test_a_refused_call_gives_the_apis_own_words() -> None:
    refused = {"status": 429, "milliseconds": 1, "response": {"error": {"message": "Full"}}}
    with pytest.raises(InvalidRequest, match="429: Full"):
        read_call(json.dumps(refused))

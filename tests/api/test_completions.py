from __future__ import annotations

from typing import Any

from openai.types import Completion

from tests.sites import MODEL, Site, open_site
from workbench.backends.scripted import ScriptedBackend
from workbench.core.settings import Settings

ROUTE = "/openai/v1/completions"
ANSWER = "Hello! This answer comes from a script."


async def ask(site: Site, **fields: Any) -> dict[str, Any]:
    answer = await site.client.post(ROUTE, json={"model": MODEL, "prompt": "Once upon", **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    if not fields.get("echo"):  # the type does not know that a prompt's first token has no logprob
        Completion.model_validate(body, strict=True)
    return body


async def test_a_completion_has_openais_shape(site: Site) -> None:
    body = await ask(site)
    assert body["object"] == "text_completion"
    assert body["id"].startswith("cmpl-")
    assert body["choices"] == [{"index": 0, "text": ANSWER, "logprobs": None, "finish_reason": "stop"}]
    assert body["usage"]["total_tokens"] == 9


async def test_choices_are_numbered_prompt_by_prompt(site: Site) -> None:
    body = await ask(site, prompt=["a", "b c"], n=2, echo=True)
    texts = [choice["text"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    assert texts == [f"a{ANSWER}", f"a{ANSWER}", f"b c{ANSWER}", f"b c{ANSWER}"]
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (3, 28)


async def test_logprobs_are_parallel_arrays_whose_offsets_fit_the_text(site: Site) -> None:
    (choice,) = (await ask(site, logprobs=1))["choices"]
    arrays, text = choice["logprobs"], choice["text"]
    assert "".join(arrays["tokens"]) == text
    assert len({len(array) for array in arrays.values()}) == 1
    for token, offset in zip(arrays["tokens"], arrays["text_offset"], strict=True):
        assert text[offset : offset + len(token)] == token
    assert arrays["top_logprobs"][0] == {"Hello! ": -0.25}


async def test_an_echoed_prompt_starts_with_a_token_without_a_logprob(site: Site) -> None:
    (choice,) = (await ask(site, logprobs=1, echo=True, max_tokens=0))["choices"]
    assert choice["text"] == "Once upon"
    assert choice["finish_reason"] == "length"
    assert choice["logprobs"] == {
        "tokens": ["Once ", "upon"],
        "token_logprobs": [None, -0.25],
        "top_logprobs": [None, {"upon": -0.25}],
        "text_offset": [0, 5],
    }


async def test_several_prompts_report_what_was_applied_to_each(site: Site) -> None:
    body = await ask(site, prompt=["a", "b"], x_effective=True, seed=3)
    assert [report["seed"] for report in body["x_effective"]["prompts"]] == [3, 3]


async def test_the_times_of_each_prompt_are_told(site: Site) -> None:
    prompts = (await ask(site, prompt=["a", "b"], x_timing=True))["x_timing"]["prompts"]
    assert [times["tpot_seconds"] is not None for times in prompts] == [True, True]


async def test_one_prompt_too_long_refuses_the_whole_call(site: Site) -> None:
    for stream in (False, True):
        sent = {"model": MODEL, "prompt": ["short", "long " * 5000], "stream": stream}
        answer = await site.client.post(ROUTE, json=sent)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert site.backend.running == 0


async def test_more_prompts_than_places_and_queue_are_one_call_and_all_answered(
    settings: Settings, backend: ScriptedBackend
) -> None:
    tight = settings.model_copy(update={"max_concurrency": 2, "queue_size": 0})
    async with open_site(tight, backend) as site:
        body = await ask(site, prompt=[f"p{number}" for number in range(12)], echo=True)
        stream = await site.client.post(
            ROUTE, json={"model": MODEL, "prompt": ["a", "b", "c", "d"], "stream": True}
        )
    assert [choice["text"] for choice in body["choices"]] == [f"p{number}{ANSWER}" for number in range(12)]
    assert stream.status_code == 200
    assert stream.text.count('"finish_reason":"stop"') == 4

"""Chat and completions with a guard: the fields that ask for it, and how the answer tells its verdicts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from guard.base import Direction
from tests.api.events import read_events
from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import MODEL, Site
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.settings import Settings

CHAT = "/openai/v1/chat/completions"
TEXT = "/openai/v1/completions"
BOTH_ROUTES = pytest.mark.parametrize("route", [CHAT, TEXT])
SCORE = {"model": "embedded", "policy": {"input": {"mode": "score"}, "output": {"mode": "score"}}}
BLOCK = {"model": "embedded", "policy": {"input": {"mode": "block"}, "output": {"mode": "block"}}}
FLAGGED_ANSWER = "Take a bomb. " + "And then some more words follow. " * 20


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGuard:
    guard = FakeGuard(name="embedded")
    replace_embedded(monkeypatch, guard)
    return guard


async def post(site: Site, route: str, text: str = "Say hello", **fields: Any) -> httpx.Response:
    asked = {"prompt": text} if route == TEXT else {"messages": [{"role": "user", "content": text}]}
    return await site.client.post(route, json={"model": MODEL, **asked, **fields})


async def complete(site: Site, route: str, text: str = "Say hello", **fields: Any) -> dict[str, Any]:
    answer = await post(site, route, text, **fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def chunks(site: Site, route: str, text: str = "Say hello", **fields: Any) -> list[dict[str, Any]]:
    answer = await post(site, route, text, stream=True, **fields)
    assert answer.status_code == 200, answer.text
    return read_events(answer.text)


def flags(side: dict[str, Any]) -> list[bool]:
    assert side["type"] == "moderation_results"
    return [result["flagged"] for result in side["results"]]


@BOTH_ROUTES
async def test_without_being_asked_nothing_is_judged(site: Site, fake: FakeGuard, route: str) -> None:
    assert (await complete(site, route, "a bomb"))["moderation"] is None
    assert not any("moderation" in chunk for chunk in await chunks(site, route, "a bomb"))
    assert fake.judged == []


@BOTH_ROUTES
async def test_null_asks_for_nothing(site: Site, fake: FakeGuard, route: str) -> None:
    assert (await complete(site, route, moderation=None, safety_model=None))["moderation"] is None


@BOTH_ROUTES
@pytest.mark.parametrize("asked", [SCORE, {"model": "embedded"}, {"model": "embedded", "policy": None}, {}])
async def test_score_tells_both_sides_and_blocks_nothing(
    site: Site, route: str, asked: dict[str, Any]
) -> None:
    body = await complete(site, route, "a bomb", moderation=asked, n=2)
    assert flags(body["moderation"]["input"]) == [True]
    assert flags(body["moderation"]["output"]) == [False, False]
    assert [choice["finish_reason"] for choice in body["choices"]] == ["stop", "stop"]


async def test_the_moderation_is_of_openais_type(site: Site) -> None:
    body = await complete(site, CHAT, "a bomb", moderation=SCORE)
    result = body["moderation"]["input"]["results"][0]
    assert (result["type"], result["model"], result["hazards"]) == ("moderation_result", "embedded", ["S9"])
    for side in body["moderation"].values():
        for one in side["results"]:
            one["category_scores"] = {name: score or 0.0 for name, score in one["category_scores"].items()}
    assert ChatCompletion.model_validate(body).moderation is not None


@BOTH_ROUTES
async def test_a_side_that_was_not_asked_for_is_null(site: Site, fake: FakeGuard, route: str) -> None:
    asked = {"model": "embedded", "policy": {"output": {"mode": "score"}}}
    body = await complete(site, route, "a bomb", moderation=asked)
    assert body["moderation"]["input"] is None
    assert flags(body["moderation"]["output"]) == [False]
    assert [direction for direction, _ in fake.judged] == [Direction.OUTPUT]


async def test_every_prompt_and_every_choice_has_a_result_in_order(site: Site) -> None:
    answer = await site.client.post(
        TEXT, json={"model": MODEL, "prompt": ["hello", "a bomb"], "n": 2, "moderation": SCORE}
    )
    moderation = answer.json()["moderation"]
    assert flags(moderation["input"]) == [False, True]
    assert flags(moderation["output"]) == [False] * 4


@BOTH_ROUTES
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("fields", [{"moderation": BLOCK}, {"safety_model": "embedded"}])
async def test_a_blocked_input_is_a_400_with_the_verdict(
    site: Site, route: str, is_streamed: bool, fields: dict[str, Any]
) -> None:
    answer = await post(site, route, "a bomb", stream=is_streamed, **fields)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "content_filter")
    assert error["param"] == ("prompt" if route == TEXT else "messages")
    assert "Indiscriminate Weapons (S9)" in error["message"]
    assert flags(error["moderation"]["input"]) == [True]
    assert site.workbench.load().running_calls == 0


@BOTH_ROUTES
async def test_a_harmless_call_passes_a_blocking_guard_whole(site: Site, route: str) -> None:
    body = await complete(site, route, moderation=BLOCK)
    choice = body["choices"][0]
    text = choice["text"] if route == TEXT else choice["message"]["content"]
    assert text == "Hello! This answer comes from a script."
    assert (flags(body["moderation"]["input"]), flags(body["moderation"]["output"])) == ([False], [False])


class TestStreams:
    @BOTH_ROUTES
    @pytest.mark.parametrize("asked", [SCORE, BLOCK])
    async def test_the_verdicts_have_one_chunk_of_their_own_after_the_finish(
        self, site: Site, route: str, asked: dict[str, Any]
    ) -> None:
        *before, last = await chunks(site, route, moderation=asked)
        assert last["choices"] == []
        assert (flags(last["moderation"]["input"]), flags(last["moderation"]["output"])) == ([False], [False])
        assert not any("moderation" in chunk for chunk in before)
        assert before[-1]["choices"][0]["finish_reason"] == "stop"

    @BOTH_ROUTES
    async def test_the_usage_comes_after_the_verdicts_and_the_report_last(
        self, site: Site, route: str
    ) -> None:
        options = {"include_usage": True}
        *before, moderation, usage = await chunks(
            site, route, moderation=SCORE, stream_options=options, x_effective=True
        )
        assert "moderation" in moderation
        assert usage["usage"]["completion_tokens"] == 7
        assert "moderation" not in usage
        assert "x_effective" in usage
        assert not any("x_effective" in chunk for chunk in (*before, moderation))

    async def test_without_usage_the_verdicts_carry_the_report(self, site: Site) -> None:
        *before, last = await chunks(site, CHAT, moderation=SCORE, x_effective=True)
        assert {"moderation", "x_effective"} <= set(last)
        assert not any("x_effective" in chunk for chunk in before)

    async def test_the_chunk_is_of_openais_type(self, site: Site) -> None:
        *_, last = await chunks(site, CHAT, moderation=SCORE)
        for side in last["moderation"].values():
            for one in side["results"]:
                one["category_scores"] = dict.fromkeys(one["category_scores"], 0.0)
        assert ChatCompletionChunk.model_validate(last).moderation is not None


class TestAFlaggedAnswer:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script(FLAGGED_ANSWER)])

    @BOTH_ROUTES
    async def test_it_ends_with_content_filter_and_shows_nothing_unsafe(
        self, site: Site, backend: ScriptedBackend, route: str
    ) -> None:
        body = await complete(site, route, moderation=BLOCK)
        assert body["choices"][0]["finish_reason"] == "content_filter"
        assert "bomb" not in str(body["choices"])
        assert flags(body["moderation"]["output"]) == [True]
        assert (backend.running, backend.cancelled) == (0, 1)

    @BOTH_ROUTES
    async def test_a_stream_ends_the_same_way(self, site: Site, route: str) -> None:
        found = await chunks(site, route, moderation=BLOCK)
        reasons = [choice["finish_reason"] for chunk in found for choice in chunk["choices"]]
        assert reasons[-1] == "content_filter"
        assert set(reasons[:-1]) <= {None}
        assert "bomb" not in str([chunk["choices"] for chunk in found])
        assert flags(found[-1]["moderation"]["output"]) == [True]

    async def test_score_shows_it_and_says_so(self, site: Site) -> None:
        body = await complete(site, CHAT, moderation=SCORE)
        assert body["choices"][0]["message"]["content"] == FLAGGED_ANSWER
        assert flags(body["moderation"]["output"]) == [True]


class TestTheGuardFails:
    @BOTH_ROUTES
    @pytest.mark.parametrize("is_streamed", [False, True])
    async def test_blocking_refuses_the_call(
        self, site: Site, fake: FakeGuard, route: str, is_streamed: bool
    ) -> None:
        fake.failure = RuntimeError("out of order")
        answer = await post(site, route, moderation=BLOCK, stream=is_streamed)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "guard_unavailable")
        assert int(answer.headers["retry-after"]) > 0

    @BOTH_ROUTES
    async def test_scoring_says_that_there_is_no_verdict(
        self, site: Site, fake: FakeGuard, route: str
    ) -> None:
        fake.failure = RuntimeError("out of order")
        moderation = (await complete(site, route, moderation=SCORE))["moderation"]
        assert {side["type"] for side in moderation.values()} == {"error"}
        assert {side["code"] for side in moderation.values()} == {"guard_unavailable"}


class TestAnAnswerThatCannotBeJudged:
    @pytest.fixture
    def backend(self) -> ScriptedBackend:
        return ScriptedBackend([Script("garble " * 40)])

    async def test_it_is_not_shown(self, site: Site) -> None:
        *shown, error = await chunks(site, CHAT, moderation=BLOCK)
        assert error["error"]["code"] == "guard_unavailable"
        assert "garble" not in str(shown)


class TestTheOperatorsGuard:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"guard": "embedded:block"})

    @BOTH_ROUTES
    async def test_it_screens_who_does_not_ask(self, site: Site, route: str) -> None:
        assert (await post(site, route, "a bomb")).status_code == 400
        assert (await complete(site, route))["moderation"]["input"]["type"] == "moderation_results"

    @BOTH_ROUTES
    @pytest.mark.parametrize(
        "asked", [SCORE, {"policy": {"input": {"mode": "score", "threshold": 1, "categories": ["S1"]}}}]
    )
    async def test_a_request_cannot_loosen_it(self, site: Site, route: str, asked: dict[str, Any]) -> None:
        answer = await post(site, route, "a bomb", moderation=asked)
        assert answer.json()["error"]["code"] == "content_filter"


class TestTheOperatorsShadow:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"guard": "embedded:shadow"})

    @BOTH_ROUTES
    async def test_nobody_notices_it(self, site: Site, fake: FakeGuard, route: str) -> None:
        assert (await complete(site, route, "a bomb"))["moderation"] is None
        assert not any("moderation" in chunk for chunk in await chunks(site, route, "a bomb"))
        assert len(fake.judged) == 4


@BOTH_ROUTES
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"moderation": "embedded"}, "moderation"),
        ({"moderation": {"model": ""}}, "moderation.model"),
        ({"moderation": {"policy": {"input": {}}}}, "moderation.policy.input.mode"),
        ({"moderation": {"policy": {"input": {"mode": "off"}}}}, "moderation.policy.input.mode"),
        ({"moderation": {"policy": {"input": {"mode": "shadow"}}}}, "moderation.policy.input.mode"),
        (
            {"moderation": {"policy": {"output": {"mode": "score", "threshold": 2}}}},
            "moderation.policy.output.threshold",
        ),
        ({"moderation": {"policy": {"sideways": {"mode": "score"}}}}, "moderation.policy.sideways"),
        ({"moderation": SCORE, "safety_model": "embedded"}, "safety_model"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(
    site: Site, route: str, fields: dict[str, Any], param: str
) -> None:
    answer = await post(site, route, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@BOTH_ROUTES
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"moderation": {"model": "bouncer"}}, "moderation.model"),
        ({"safety_model": "bouncer"}, "safety_model"),
    ],
)
async def test_an_unknown_guard_is_not_found(
    site: Site, route: str, fields: dict[str, Any], param: str
) -> None:
    answer = await post(site, route, stream=True, **fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", param)

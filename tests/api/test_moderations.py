"""POST /openai/v1/moderations."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import ModerationCreateResponse

from guard.base import Direction
from guard.taxonomy import OPENAI_CATEGORIES
from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import Site

ROUTE = "/openai/v1/moderations"
SECRET = "a bomb of a very particular wording"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGuard:
    guard = FakeGuard(name="embedded")
    replace_embedded(monkeypatch, guard)
    return guard


async def judge(site: Site, asked: Any, **fields: Any) -> dict[str, Any]:
    answer = await site.client.post(ROUTE, json={"input": asked, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    ModerationCreateResponse.model_validate(
        {**body, "results": [{**one, "category_scores": _scores(one)} for one in body["results"]]}
    )
    return body


def _scores(result: dict[str, Any]) -> dict[str, float]:
    """OpenAI's type knows no missing score; here one that the guard does not give is null."""
    return {name: 0.0 if score is None else score for name, score in result["category_scores"].items()}


async def refusal(site: Site, body: dict[str, Any], status: int = 400) -> dict[str, Any]:
    answer = await site.client.post(ROUTE, json=body)
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


async def test_a_text_gets_one_result_and_a_list_one_for_each(site: Site) -> None:
    assert [one["flagged"] for one in (await judge(site, "a bomb"))["results"]] == [True]
    many = await judge(site, ["hello", "a bomb", ""])
    assert [one["flagged"] for one in many["results"]] == [False, True, False]


async def test_a_result_has_openais_categories_and_the_native_codes(site: Site) -> None:
    (result,) = (await judge(site, "a bomb"))["results"]
    assert set(result["categories"]) == set(result["category_scores"])
    assert set(OPENAI_CATEGORIES) <= set(result["categories"])
    assert [name for name, hit in result["categories"].items() if hit] == ["illicit/violent"]
    assert (result["hazards"], result["p_unsafe"], result["threshold"]) == (["S9"], 0.9, 0.5)


async def test_the_model_is_the_guards_name_and_is_accepted_back(site: Site) -> None:
    first = await judge(site, "hello")
    second = await judge(site, "hello", model=first["model"])
    assert first["model"] == second["model"] == "embedded"
    assert first["id"] != second["id"]


async def test_a_conversation_is_judged_by_its_last_turn(site: Site, fake: FakeGuard) -> None:
    asked = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "a bomb"},
    ]
    (result,) = (await judge(site, asked))["results"]
    assert result["flagged"]
    await judge(site, asked[:2])
    await judge(site, [asked[2], asked[0]])
    assert fake.judged == [
        (Direction.OUTPUT, "a bomb"),
        (Direction.INPUT, "hello"),
        (Direction.OUTPUT, "a bomb"),
    ]


async def test_text_parts_are_one_text(site: Site, fake: FakeGuard) -> None:
    answer = await judge(site, [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])
    assert len(answer["results"]) == 1
    assert fake.judged == [(Direction.INPUT, "one\ntwo")]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        (None, "input"),
        (7, "input"),
        ([], "input"),
        ([1, 2], "input[0]"),
        (["a", None], "input[1]"),
        (["a"] * 1025, "input"),
        ([{"type": "image_url", "image_url": {"url": "x"}}], "input[0].type"),
        ([{"role": "nobody", "content": "a"}], "input[0].role"),
        ([{"role": "system", "content": "Be kind."}], "input"),
    ],
)
async def test_a_wrong_input_is_refused_by_name(site: Site, asked: Any, param: str) -> None:
    assert (await refusal(site, {"input": asked}))["param"] == param


async def test_an_unknown_guard_is_not_found(site: Site) -> None:
    error = await refusal(site, {"input": "hello", "model": "omni-moderation-latest"}, 404)
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    assert "embedded" in error["message"]


@pytest.mark.parametrize("failure", [None, RuntimeError(SECRET)])
async def test_a_text_that_cannot_be_judged_is_never_safe_and_never_quoted(
    site: Site, fake: FakeGuard, failure: Exception | None, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.failure = failure
    error = await refusal(site, {"input": ["hello", f"garble {SECRET}"]}, 503)
    assert error["code"] == "guard_unavailable"
    written = capfd.readouterr()
    assert SECRET not in written.out + written.err + str(error)


async def test_a_key_is_needed(site: Site) -> None:
    answer = await site.client.post(ROUTE, json={"input": "hello"}, headers={"authorization": "Bearer x"})
    assert answer.status_code == 401

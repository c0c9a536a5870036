"""Verdicts in OpenAI's shapes, as OpenAI's own client reads them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from openai.types.chat.chat_completion import Moderation as ChatModerationOfOpenAI
from openai.types.moderation import Categories

from guard.base import Direction, Hazard, Verdict, VerdictState
from guard.moderation import blocked_message, chat_moderation, moderation_response, moderation_result
from guard.taxonomy import OPENAI_CATEGORIES, STANDARD_BY_CODE, STANDARD_HAZARDS
from tests.guard.fakes import FakeGuard
from workbench.core.errors import Unavailable

GUARD = FakeGuard()
SAFE = Verdict("fake", Direction.INPUT, VerdictState.SAFE, p_unsafe=0.1, threshold=0.5)
UNSAFE = replace(SAFE, state=VerdictState.UNSAFE, p_unsafe=0.9)
UNAVAILABLE = Verdict("fake", Direction.INPUT, VerdictState.UNAVAILABLE, reason="the guard took too long")


def test_openais_names_are_openais() -> None:
    theirs = {field.alias or name for name, field in Categories.model_fields.items()}
    assert set(OPENAI_CATEGORIES) == theirs


@pytest.mark.parametrize("hazard", STANDARD_HAZARDS, ids=lambda hazard: hazard.code)
def test_each_hazard_flags_a_category(hazard: Hazard) -> None:
    result = moderation_result(GUARD, replace(UNSAFE, hazards=(hazard,)))
    assert result.flagged
    assert sum(result.categories.values()) == 1
    assert result.hazards == [hazard.code]


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("S1", "violence"),
        ("S4", "sexual/minors"),
        ("S5", "defamation"),
        ("S8", "intellectual-property"),
        ("S9", "illicit/violent"),
        ("S10", "hate"),
        ("S11", "self-harm"),
        ("S13", "elections"),
    ],
)
def test_hazards_have_openais_name_where_one_fits(code: str, category: str) -> None:
    result = moderation_result(GUARD, replace(UNSAFE, hazards=(STANDARD_BY_CODE[code],)))
    assert result.categories[category]


@pytest.mark.parametrize(
    "verdict",
    [
        SAFE,
        UNSAFE,
        replace(UNSAFE, hazards=STANDARD_HAZARDS),
        replace(UNSAFE, hazards=(Hazard("criminal-planning", "Criminal Planning"),)),
        replace(SAFE, hazard_scores={"S1": 0.2, "S3": 0.1, "S12": 0.3}),
    ],
)
def test_flagged_means_a_true_category_and_keys_are_the_same(verdict: Verdict) -> None:
    result = moderation_result(GUARD, verdict)
    assert result.flagged == verdict.is_flagged == any(result.categories.values())
    keys = list(result.categories)
    assert keys == list(result.category_scores) == list(result.category_applied_input_types)
    assert set(OPENAI_CATEGORIES) < set(keys)


def test_a_guard_without_category_scores_gets_none_made_up() -> None:
    result = moderation_result(GUARD, replace(UNSAFE, hazards=(STANDARD_BY_CODE["S9"],)))
    assert set(result.category_scores.values()) == {None}
    assert (result.p_unsafe, result.threshold) == (0.9, 0.5)


def test_a_categorys_score_is_the_highest_of_its_hazards() -> None:
    result = moderation_result(GUARD, replace(SAFE, hazard_scores={"S3": 0.1, "S12": 0.3, "S5": 0.0}))
    assert result.category_scores["sexual"] == 0.3
    assert result.category_scores["defamation"] == 0.0
    assert result.category_scores["harassment"] is None
    assert result.hazard_scores == {"S3": 0.1, "S12": 0.3, "S5": 0.0}


def test_categories_the_guard_cannot_name_are_marked_as_not_applied() -> None:
    result = moderation_result(replace(GUARD, hazards=(STANDARD_BY_CODE["S10"],)), SAFE)
    applied = {name for name, types in result.category_applied_input_types.items() if types}
    assert applied == {"hate", "unspecified"}


def test_an_unsafe_text_without_a_reason_is_unspecified() -> None:
    assert moderation_result(GUARD, UNSAFE).categories["unspecified"]


def test_an_unjudged_text_has_no_result() -> None:
    with pytest.raises(Unavailable, match="took too long"):
        moderation_response("modr-1", GUARD, [SAFE, UNAVAILABLE])


def test_the_response_names_the_guard_and_keeps_the_order() -> None:
    response = moderation_response("modr-1", GUARD, [SAFE, UNSAFE])
    assert (response.id, response.model) == ("modr-1", "fake")
    assert [result.flagged for result in response.results] == [False, True]
    json.loads(response.model_dump_json())


def test_a_chats_moderation_is_read_by_openais_client() -> None:
    scored = replace(SAFE, direction=Direction.OUTPUT, hazard_scores={"S1": 0.2})
    chat = chat_moderation(GUARD, [replace(UNSAFE, hazards=(STANDARD_BY_CODE["S1"],))], [scored, scored])
    theirs = ChatModerationOfOpenAI.construct(**chat.model_dump())
    assert theirs.input.type == "moderation_results"
    assert theirs.input.results[0].flagged
    assert theirs.input.results[0].type == "moderation_result"
    assert theirs.output.type == "moderation_results"
    assert [result.model for result in theirs.output.results] == ["fake", "fake"]


def test_a_side_that_could_not_be_judged_is_an_error_object() -> None:
    chat = chat_moderation(GUARD, [UNAVAILABLE], None)
    dumped = chat.model_dump()
    assert dumped["output"] is None
    assert dumped["input"]["type"] == "error"
    assert dumped["input"]["code"] == "guard_unavailable"
    assert "took too long" in dumped["input"]["message"]


def test_a_blocked_message_says_why_in_plain_words() -> None:
    verdict = replace(UNSAFE, hazards=(STANDARD_BY_CODE["S9"],))
    assert "Indiscriminate Weapons (S9)" in blocked_message(verdict)
    assert "message" in blocked_message(verdict)
    assert "answer" in blocked_message(replace(verdict, direction=Direction.OUTPUT))
    assert "no category" in blocked_message(UNSAFE)

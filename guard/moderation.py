"""Verdicts in the shapes of OpenAI's API: the moderations endpoint and the `moderation` field of a chat.

OpenAI's category names where one fits, a name of the same style for every other hazard, and `unspecified`
for a text flagged without a reason; `categories` and `category_scores` always have the same keys. A score
is null where the guard gives none for that category: none is made up. `category_applied_input_types` is
empty for categories the guard cannot name. Native codes and the guard's one real score are in fields of
their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from guard.base import Direction, Guard, Hazard, Verdict
from guard.taxonomy import OPENAI_CATEGORIES, STANDARD_HAZARDS, UNSPECIFIED_CATEGORY, category_name
from workbench.core.errors import Unavailable


class ModerationResult(BaseModel):
    """One text's result."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float | None]
    category_applied_input_types: dict[str, list[Literal["text"]]]
    hazards: list[str]
    hazard_scores: dict[str, float]
    p_unsafe: float | None
    threshold: float | None


class ModerationResponse(BaseModel):
    """The answer of `/moderations`."""

    id: str
    model: str
    results: list[ModerationResult]


class ChatModerationResult(ModerationResult):
    """One result inside a chat's `moderation`."""

    type: Literal["moderation_result"] = "moderation_result"
    model: str


class ChatModerationResults(BaseModel):
    """The judged side of a chat."""

    type: Literal["moderation_results"] = "moderation_results"
    model: str
    results: list[ChatModerationResult]


class ChatModerationError(BaseModel):
    """A side of a chat that the guard could not judge."""

    type: Literal["error"] = "error"
    code: str = "guard_unavailable"
    message: str


class ChatModeration(BaseModel):
    """The `moderation` object of a chat or completion; null for a side that was not to be judged."""

    input: ChatModerationResults | ChatModerationError | None = None
    output: ChatModerationResults | ChatModerationError | None = None


def moderation_result(guard: Guard, verdict: Verdict) -> ModerationResult:
    """One verdict as a result.

    Raises: Unavailable when the guard could not judge: there is no result to give.
    """
    if not verdict.is_available:
        raise Unavailable(f"The guard could not judge the text: {verdict.reason}.", code="guard_unavailable")
    nameable = (*guard.hazards, *verdict.hazards)
    names = _category_names(nameable)
    true = {category_name(hazard) for hazard in verdict.hazards}
    if verdict.is_flagged and not true:
        true = {UNSPECIFIED_CATEGORY}
    judged = {category_name(hazard) for hazard in nameable} | {UNSPECIFIED_CATEGORY}
    return ModerationResult(
        flagged=verdict.is_flagged,
        categories={name: name in true for name in names},
        category_scores=_category_scores(names, nameable, verdict),
        category_applied_input_types={name: ["text"] if name in judged else [] for name in names},
        hazards=[hazard.code for hazard in verdict.hazards],
        hazard_scores=dict(verdict.hazard_scores),
        p_unsafe=verdict.p_unsafe,
        threshold=verdict.threshold,
    )


def moderation_response(request_id: str, guard: Guard, verdicts: Sequence[Verdict]) -> ModerationResponse:
    """The whole answer of `/moderations`. Raises: Unavailable when one text could not be judged."""
    results = [moderation_result(guard, verdict) for verdict in verdicts]
    return ModerationResponse(id=request_id, model=guard.name, results=results)


def chat_moderation(
    guard: Guard, inputs: Sequence[Verdict] | None, outputs: Sequence[Verdict] | None
) -> ChatModeration:
    """A chat's `moderation` object. None is a side that was not to be judged."""
    return ChatModeration(
        input=None if inputs is None else _side(guard, inputs),
        output=None if outputs is None else _side(guard, outputs),
    )


def blocked_message(verdict: Verdict) -> str:
    """What a person is told in place of a blocked text."""
    what = "message" if verdict.direction is Direction.INPUT else "answer"
    why = ", ".join(f"{hazard.name} ({hazard.code})" for hazard in verdict.hazards) or "it names no category"
    return f"This {what} was blocked: the guard {verdict.guard} found it unsafe ({why})."


def _side(guard: Guard, verdicts: Sequence[Verdict]) -> ChatModerationResults | ChatModerationError:
    missing = next((verdict for verdict in verdicts if not verdict.is_available), None)
    if missing is not None:
        return ChatModerationError(message=f"The guard could not judge the text: {missing.reason}.")
    results = [
        ChatModerationResult(model=guard.name, **moderation_result(guard, verdict).model_dump())
        for verdict in verdicts
    ]
    return ChatModerationResults(model=guard.name, results=results)


def _category_names(nameable: Sequence[Hazard]) -> list[str]:
    own = [category_name(hazard) for hazard in (*STANDARD_HAZARDS, *nameable)]
    return list(dict.fromkeys((*OPENAI_CATEGORIES, *own, UNSPECIFIED_CATEGORY)))


def _category_scores(
    names: Sequence[str], nameable: Sequence[Hazard], verdict: Verdict
) -> dict[str, float | None]:
    """The highest score among a category's hazards, None where the guard scores none of them."""
    scores: dict[str, float | None] = dict.fromkeys(names)
    for hazard in nameable:
        score = verdict.hazard_scores.get(hazard.code)
        if score is not None:
            name = category_name(hazard)
            scores[name] = max(score, scores[name] or 0.0)
    return scores

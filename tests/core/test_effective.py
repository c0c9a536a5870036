from __future__ import annotations

from typing import Any

import pytest

from workbench.core.effective import EffectiveParams, Source, resolve
from workbench.core.params import PARAM_NAMES, PARAMS, GenerationParams

GIVEN: dict[str, Any] = {
    "temperature": 0.25,
    "max_tokens": 3,
    "top_p": 0.5,
    "top_k": 7,
    "stop": "END",
    "presence_penalty": -1.0,
    "frequency_penalty": 1.5,
    "min_p": 0.125,
    "repetition_penalty": 1.25,
    "seed": -5,
    "min_tokens": 2,
    "ignore_eos": True,
    "logit_bias": {"7": -2.5},
}
"""A value for each parameter of the table that is not its default."""
AS_THE_ENGINE_READS_IT = {"stop": ("END",), "logit_bias": {7: -2.5}}


def resolved(model: dict[str, float | int] | None = None, **given: Any) -> EffectiveParams:
    return resolve(GenerationParams(**given), model or {}, room_tokens=100, fresh_seed=11)


@pytest.mark.parametrize("name", PARAM_NAMES)
def test_what_the_caller_set_reaches_the_engine(name: str) -> None:
    effective = resolved({"temperature": 0.9, "top_k": 50, "top_p": 0.8}, **{name: GIVEN[name]})
    assert getattr(effective, name) == AS_THE_ENGINE_READS_IT.get(name, GIVEN[name])
    assert [key for key, source in effective.sources.items() if source is Source.REQUEST] == [name]


def test_every_parameter_says_where_its_value_came_from() -> None:
    assert set(resolved().sources) == set(PARAM_NAMES)


def test_a_value_of_the_model_stands_before_the_default_and_after_the_callers() -> None:
    effective = resolved({"top_k": 50, "temperature": 0.9}, temperature=0.1)
    assert (effective.top_k, effective.sources["top_k"]) == (50, Source.MODEL)
    assert (effective.temperature, effective.sources["temperature"]) == (0.1, Source.REQUEST)
    assert (effective.top_p, effective.sources["top_p"]) == (PARAMS["top_p"].api_default, Source.DEFAULT)


def test_what_is_not_set_is_the_room_that_is_left_and_a_fresh_seed() -> None:
    effective = resolved()
    assert (effective.max_tokens, effective.seed) == (100, 11)
    assert {effective.sources[name] for name in ("max_tokens", "seed")} == {Source.DEFAULT}


@pytest.mark.parametrize("asked", [-1, 0])
def test_both_spellings_of_no_top_k_are_off(asked: int) -> None:
    assert resolved({"top_k": 50}, top_k=asked).top_k == 0

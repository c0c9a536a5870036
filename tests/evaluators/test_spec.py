from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from evaluators.base import Answer, Failure, Likelihood, Need, Sample, evaluate
from evaluators.spec import evaluator_settings, open_evaluator
from workbench.core.errors import ConfigurationError
from workbench.core.registry import EVALUATORS

WHOLE_ANSWERS = {
    "repetition": "one two three four five six seven",
    "language": "it is the sum of the two and that is all",
}
"""Answers that an evaluator can judge, where JSON is none."""


@pytest.mark.parametrize("name", EVALUATORS)
def test_every_entry_opens_and_its_settings_repeat_it(name: str) -> None:
    evaluator = open_evaluator(name)
    assert evaluator.name == name
    assert open_evaluator(name, evaluator_settings(evaluator)) == evaluator


@pytest.mark.parametrize("name", EVALUATORS)
def test_every_entry_scores_or_fails_as_data(name: str, tmp_path: Path) -> None:
    """A sample that has everything gets a number; one that has nothing never raises."""
    code = tmp_path / "score.py"
    code.write_text("def score(prompt, answer, expected): return answer in expected")
    evaluator = open_evaluator(name, {"file": str(code)} if name == "python_function" else None)
    metadata: dict[str, JsonValue] = {
        "answer_info": {"ans0": ["four", "small"], "ans1": ["many", "unknown"]},
        "stereotyped_groups": ["small"],
    }
    right = WHOLE_ANSWERS.get(name, '{"sum": 4}')
    choices = (right, "22", "23", "24") if name == "name_gap" else (right, "22")
    sample = Sample("s", "2 + 2 =", (), (right,), choices, ("ambig", "neg"), metadata)
    has_likelihoods = evaluator.needs in (Need.LIKELIHOODS, Need.REASONED)
    likelihoods = tuple(Likelihood(-1.0 - i, 1) for i in range(len(choices))) if has_likelihoods else ()
    text = f"Answer: {right}" if evaluator.needs is Need.REASONED else right
    answer = Answer(text, likelihoods=likelihoods, judgement="Points: 4", is_flagged=False)
    outcome = evaluate(evaluator, sample, answer)
    assert not isinstance(outcome, Failure)
    assert outcome.value is not None
    empty = evaluate(evaluator, Sample("s"), Answer())
    assert isinstance(empty, Failure) or empty.value is None or empty.value in (0.0, 1.0)


def test_settings_reach_the_evaluator() -> None:
    strict = open_evaluator("exact_match", {"ignore_case": False})
    outcome = evaluate(strict, Sample("s", expected=("Yes",)), Answer("yes"))
    assert not isinstance(outcome, Failure)
    assert outcome.value == 0


def test_an_unknown_setting_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigurationError, match=r"no setting 'ignorecase'.*ignore_case"):
        open_evaluator("exact_match", {"ignorecase": True})


def test_a_setting_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="setting absolute_tolerance"):
        open_evaluator("numeric", {"absolute_tolerance": "wide"})


def test_an_unknown_evaluator_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigurationError, match="exact_match"):
        open_evaluator("exactmatch")

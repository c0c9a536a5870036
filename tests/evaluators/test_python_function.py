from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.base import Answer, EvaluatorError, Failure, Sample, evaluate
from evaluators.python_function import PythonFunction

CODE = """
raise_on_import = "{marker}"
open(raise_on_import, "w").close()
def score(prompt, answer, expected):
    return None if not answer else len(answer) / len(prompt)
def broken(prompt, answer, expected):
    raise RuntimeError(answer)
def wordy(prompt, answer, expected):
    return "good"
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(CODE.replace("{marker}", str(tmp_path / "was-run")))
    return file


def test_opening_runs_nothing_and_scoring_does(tmp_path: Path, code: Path) -> None:
    evaluator = PythonFunction(str(code))
    assert not (tmp_path / "was-run").exists()
    assert evaluator.score(Sample("s", "four"), Answer("ab")).value == 0.5
    assert (tmp_path / "was-run").exists()
    assert evaluator.score(Sample("s", "four"), Answer("")).value is None


def test_what_the_function_raises_is_a_failure_that_quotes_nothing(code: Path) -> None:
    outcome = evaluate(PythonFunction(str(code), "broken"), Sample("s"), Answer("secret"))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "RuntimeError"
    assert "secret" not in outcome.message


@pytest.mark.parametrize(("function", "message"), [("wordy", "neither a number"), ("absent", "no function")])
def test_what_is_no_score_is_an_error(code: Path, function: str, message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        PythonFunction(str(code), function).score(Sample("s", "q"), Answer("a"))


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(EvaluatorError, match="no such Python file"):
        PythonFunction("/nowhere/mine.py").score(Sample("s", "q"), Answer("a"))

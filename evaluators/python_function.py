"""Python function: a score that a team's own code gives; only the command line runs it."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """What `function` in `file` returns for `(prompt, answer, expected)`: a number, True or False, or None.

    `prompt` and `answer` are texts, `expected` is a tuple of texts; None is "unscored". Opening the evaluator runs
    nothing: the file is read when the first answer is judged.
    """

    name: ClassVar[str] = "python_function"
    scale: ClassVar[Scale] = Scale.NUMBER
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    file: str = ""
    function: str = "score"

    def score(self, sample: Sample, answer: Answer) -> Score:
        """The function's value.

        Raises: EvaluatorError when there is no such file or function, or it returns something else. What the function
        itself raises goes on, and becomes a failure of this row.
        """
        prompt = sample.prompt or "\n".join(message.content for message in sample.messages)
        value = _function(self.file, self.function)(prompt, answer.text, sample.expected)
        if value is None:
            return Score.unscored("the function gave no score")
        if not isinstance(value, bool | int | float):
            raise EvaluatorError("the function returned neither a number nor None")
        return Score(float(value))


@cache
def _function(file: str, name: str) -> Callable[[str, str, tuple[str, ...]], Any]:
    if not Path(file).is_file():
        raise EvaluatorError("there is no such Python file")
    found = runpy.run_path(file).get(name)
    if not callable(found):
        raise EvaluatorError("the Python file has no function of this name")
    function: Callable[[str, str, tuple[str, ...]], Any] = found
    return function

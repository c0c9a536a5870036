"""Rubric: points that a judge gives an answer by a written rubric."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

_POINTS = re.compile(r"points?\s*[:=]?\s*\**\s*(\d+)", re.IGNORECASE)
_QUESTION = """\
You grade an answer. Use the rubric alone, and do not mind how long the answer is.

[Request]
{request}

[Answer]
{answer}

[Rubric]
{rubric}

Give your reason in one or two sentences. Then write "Points:" and a whole number from 1 to {most}, 1 for an answer \
that fails the rubric and {most} for one that nothing could improve."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """The judge's points from 1 to `most`, as 0 to 1. The judge is the experiment's; see `workbench.experiments`."""

    name: ClassVar[str] = "rubric"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.JUDGEMENT
    is_higher_better: ClassVar[bool | None] = True

    rubric: str = "The answer does what was asked, is correct, and is clear to the person who asked."
    most: int = 5

    def question(self, sample: Sample, text: str) -> str:
        """What the judge is asked."""
        request = sample.prompt or "\n".join(f"{m.role.value}: {m.content}" for m in sample.messages)
        return _QUESTION.format(request=request, answer=text, rubric=self.rubric, most=self.most)

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the judge gave no points, or impossible ones.

        Raises: EvaluatorError for a rubric of fewer than two points.
        """
        if self.most < 2:
            raise EvaluatorError("a rubric needs at least two points")
        found = _POINTS.findall(answer.judgement)
        points = int(found[-1]) if found else 0
        if not 1 <= points <= self.most:
            return Score.unscored("the judge gave no points")
        return Score((points - 1) / (self.most - 1), f"{points} of {self.most} points")

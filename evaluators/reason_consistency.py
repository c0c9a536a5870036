"""Reason consistency: does the reason that a model gives lead to the answer that it gives?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score
from evaluators.multiple_choice import MultipleChoice, Normalization

_ANSWER = re.compile(r"\banswer\b(?:\s+is)?\s*:?", re.IGNORECASE)
_QUESTION = "question"


@dataclass(frozen=True, slots=True)
class ReasonConsistency:
    """1 when the choice that is likeliest behind the stated reason is the stated answer, else 0.

    The model first writes a reason and an answer. Then it reads the question with its own reason, without its
    answer, and the choices are compared by log-likelihood. It says nothing about whether the answer is right.
    """

    name: ClassVar[str] = "reason_consistency"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.REASONED
    is_higher_better: ClassVar[bool | None] = True

    normalization: Normalization = Normalization.BYTES

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when the text states no answer.

        Raises: EvaluatorError when likelihoods are missing or impossible.
        """
        stated = stated_choice(sample, answer.text)
        if stated is None:
            return Score.unscored("the text states no answer")
        values = MultipleChoice(self.normalization).values(sample, answer)
        return Score.passed(values.index(max(values)) == stated)


def stated_choice(sample: Sample, text: str) -> int | None:
    """The position of the first choice named after the last "Answer:"; None where there is none."""
    markers = list(_ANSWER.finditer(text))
    if not markers:
        return None
    rest = text[markers[-1].end() :]
    found = {
        i: match.start()
        for i, choice in enumerate(sample.choices)
        if (match := re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", rest, re.IGNORECASE)) is not None
    }
    return min(found, key=lambda i: found[i]) if found else None


def reason_context(sample: Sample, text: str) -> str:
    """The question with the text's reason, up to where the answer would stand."""
    markers = list(_ANSWER.finditer(text))
    reason = (text[: markers[-1].start()] if markers else text).strip()
    question = str(sample.metadata.get(_QUESTION, sample.prompt))
    return f"Question: {question}\nReason: {reason}\nAnswer:"

"""Name gap: whether a model wishes the good ending of a sentence more to one name than to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score
from evaluators.multiple_choice import MultipleChoice, Normalization


@dataclass(frozen=True, slots=True)
class NameGap:
    """By how many nats the first name favours the good ending more than the second name does.

    The four choices are: first name good, first name bad, second name good, second name bad. Good minus bad of each
    name, and the difference of both: how common a name is, and how common an ending, cancels out. 0 is no gap.
    """

    name: ClassVar[str] = "name_gap"
    scale: ClassVar[Scale] = Scale.NUMBER
    needs: ClassVar[Need] = Need.LIKELIHOODS
    is_higher_better: ClassVar[bool | None] = None

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored where there are not four choices.

        Raises: EvaluatorError when likelihoods are missing or impossible.
        """
        if len(sample.choices) != 4:
            return Score.unscored("the sample is not a pair of pairs")
        values = MultipleChoice(Normalization.NONE).values(sample, answer)
        return Score((values[0] - values[1]) - (values[2] - values[3]))

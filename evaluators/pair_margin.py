"""Pair margin: by how much a model finds the first of two continuations likelier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score
from evaluators.multiple_choice import MultipleChoice, Normalization


@dataclass(frozen=True, slots=True)
class PairMargin:
    """The first choice's log-likelihood minus the second's, in nats a unit of `normalization`.

    It tells more from few pairs than who is likelier: a text learnt by heart beats its own rewording by a wide
    margin, a new one by a narrow margin or none.
    """

    name: ClassVar[str] = "pair_margin"
    scale: ClassVar[Scale] = Scale.NUMBER
    needs: ClassVar[Need] = Need.LIKELIHOODS
    is_higher_better: ClassVar[bool | None] = None

    normalization: Normalization = Normalization.BYTES

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored where there are not two choices.

        Raises: EvaluatorError when likelihoods are missing or impossible.
        """
        if len(sample.choices) != 2:
            return Score.unscored("the sample is not a pair")
        first, second = MultipleChoice(self.normalization).values(sample, answer)
        return Score(first - second)

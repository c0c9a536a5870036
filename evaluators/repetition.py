"""Repetition: how much of an answer says again what it has said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score


@dataclass(frozen=True, slots=True)
class Repetition:
    """The share of the answer's runs of `words` words that have occurred in it before, 0 to 1.

    People stay below 0.05 in texts of this length; a model caught in a loop comes close to 1
    (Holtzman and others 2020 call it degeneration).
    """

    name: ClassVar[str] = "repetition"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = False

    words: int = 4
    """Length of a run."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored for answers with fewer than two runs: they cannot repeat themselves."""
        text = answer.text.casefold().split()
        runs = [tuple(text[i : i + self.words]) for i in range(len(text) - self.words + 1)]
        if len(runs) < 2:
            return Score.unscored("the answer is too short to repeat itself")
        return Score(1 - len(set(runs)) / len(runs))

"""chrF: overlap of characters between a translation and its references, by sacrebleu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score

_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Chrf:
    """chrF2 (Popović 2015), 0 to 1: overlap of character 6-grams, fair to inflected languages and short sentences."""

    name: ClassVar[str] = "chrf"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    word_order: int = 0
    """2 gives chrF++, which counts words, too."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored without a reference."""
        if not sample.expected:
            return Score.unscored("the sample has no reference")
        from sacrebleu.metrics import CHRF  # imported on use: it is slow to load

        metric = CHRF(word_order=self.word_order)
        score = metric.sentence_score(answer.text, list(sample.expected))
        return Score(float(score.score) / _PERCENT)

"""BLEU: overlap of words between a translation and its references, by sacrebleu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, Need, Sample, Scale, Score

_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Bleu:
    """Sentence BLEU (Papineni and others 2002), 0 to 1, smoothed as sacrebleu does (exponential decay).

    Known from papers, and a rough measure for single sentences: prefer chrF to choose between models.
    """

    name: ClassVar[str] = "bleu"
    scale: ClassVar[Scale] = Scale.UNIT
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored without a reference."""
        if not sample.expected:
            return Score.unscored("the sample has no reference")
        from sacrebleu.metrics import BLEU  # imported on use: it is slow to load

        score = BLEU(effective_order=True).sentence_score(answer.text, list(sample.expected))
        return Score(min(float(score.score) / _PERCENT, 1.0))

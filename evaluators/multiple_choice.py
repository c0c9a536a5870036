"""Multiple choice by log-likelihood: the model is right when it finds the right choice the likeliest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from evaluators.base import Answer, EvaluatorError, Likelihood, Need, Sample, Scale, Score

_SAME = 1e-9


class LikelihoodScorer(Protocol):
    """Gives the likelihood of each continuation of a prompt under one model."""

    def __call__(self, prompt: str, continuations: Sequence[str]) -> Sequence[Likelihood]:
        """One Likelihood for each continuation, in order."""
        ...


class Normalization(StrEnum):
    """How choices of different length are made comparable."""

    NONE = "none"
    """The sum of log-probabilities; favours short choices."""
    TOKENS = "tokens"
    """Per token."""
    BYTES = "bytes"
    """Per byte of UTF-8, which no tokenizer can change (`acc_norm` of lm-evaluation-harness)."""


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """1 when the right choice is the likeliest, else 0.

    `normalization` matters when choices differ in length: state it beside every score.
    """

    name: ClassVar[str] = "multiple_choice"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.LIKELIHOODS
    is_higher_better: ClassVar[bool | None] = True

    normalization: Normalization = Normalization.BYTES

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored when no choice is marked right, or when the best choices tie: then the model did not choose.

        Raises: EvaluatorError when likelihoods are missing or impossible.
        """
        if len(sample.choices) < 2:
            return Score.unscored("the sample has fewer than two choices")
        correct = sample.correct_choice
        if correct is None:
            return Score.unscored("no choice is marked as right")
        values = self.values(sample, answer)
        best = max(values)
        likeliest = [i for i, value in enumerate(values) if best - value <= _SAME]
        if len(likeliest) > 1:
            return Score.unscored("the likeliest choices tie")
        return Score.passed(
            likeliest[0] == correct, f"choice {likeliest[0] + 1} of {len(values)} is the likeliest"
        )

    def values(self, sample: Sample, answer: Answer) -> tuple[float, ...]:
        """Each choice's normalized log-likelihood, in nats a unit.

        Raises: EvaluatorError when there is not one possible likelihood a choice.
        """
        if len(answer.likelihoods) != len(sample.choices):
            raise EvaluatorError(f"{len(answer.likelihoods)} likelihoods for {len(sample.choices)} choices")
        return tuple(
            self._value(choice, likelihood)
            for choice, likelihood in zip(sample.choices, answer.likelihoods, strict=True)
        )

    def _value(self, choice: str, likelihood: Likelihood) -> float:
        if not math.isfinite(likelihood.logprob) or likelihood.logprob > _SAME or likelihood.tokens < 1:
            raise EvaluatorError("a likelihood is not one: above 0, not finite, or of no token")
        lengths = {
            Normalization.NONE: 1,
            Normalization.TOKENS: likelihood.tokens,
            Normalization.BYTES: len(choice.encode("utf-8")) or 1,
        }
        return likelihood.logprob / lengths[self.normalization]


def answer_by_likelihood(sample: Sample, scorer: LikelihoodScorer, separator: str = " ") -> Answer:
    """Asks the scorer about every choice, each put behind the prompt with `separator` in between."""
    continuations = [separator + choice if sample.prompt else choice for choice in sample.choices]
    return Answer(likelihoods=tuple(scorer(sample.prompt, continuations)))

"""What is asked, what came back, and what an evaluator makes of it: a score, "unscored", or a failure as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from pydantic import JsonValue

from workbench.core.chat import FinishReason, Message


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of an evaluation set."""

    id: str
    """Unique in its set."""
    prompt: str = ""
    """Plain text; empty when `messages` are given."""
    messages: tuple[Message, ...] = ()
    expected: tuple[str, ...] = ()
    """Every answer that counts as right; empty when the item has none."""
    choices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def correct_choice(self) -> int | None:
        """The position in `choices` of the expected answer, or None."""
        return next((i for i, choice in enumerate(self.choices) if choice in self.expected), None)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a model finds one continuation of a prompt."""

    logprob: float
    """Sum over the continuation's tokens, in nats; never above 0."""
    tokens: int
    is_greedy: bool = False
    """Whether greedy decoding would have written exactly this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a candidate gave for a sample: text, or the likelihood of each of the sample's choices."""

    text: str = ""
    finish_reason: FinishReason = FinishReason.STOP
    likelihoods: tuple[Likelihood, ...] = ()
    """One for each of the sample's choices, in their order."""
    judgement: str = ""
    """What a judge wrote about the answer; empty where none was asked."""
    is_flagged: bool | None = None
    """Whether the guard calls the answer unsafe; None where none was asked, or it could not tell."""

    @property
    def is_truncated(self) -> bool:
        """Whether the token limit cut the answer off."""
        return self.finish_reason is FinishReason.LENGTH


class Scale(StrEnum):
    """What values a score takes, which decides its statistics."""

    BINARY = "binary"
    """0 or 1; the mean is a rate."""
    UNIT = "unit"
    """Anything from 0 to 1."""
    NUMBER = "number"
    """Any finite number, in the evaluator's own unit."""


class Need(StrEnum):
    """What an evaluator must be given."""

    TEXT = "text"
    LIKELIHOODS = "likelihoods"
    """How likely the model finds each of the sample's choices."""
    REASONED = "reasoned"
    """A text that gives a reason and an answer, then how likely each choice is behind that reason alone."""
    JUDGEMENT = "judgement"
    """A text, and what a judge says to the evaluator's `question` about it."""
    VERDICT = "verdict"
    """A text, and whether the guard finds it unsafe."""


@dataclass(frozen=True, slots=True)
class Score:
    """A value, or None for "could not be scored", which is never 0. `reason` quotes no prompt and no answer."""

    value: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuses values that no mean could be made of."""
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError("a score is a finite number or None")

    @classmethod
    def unscored(cls, reason: str) -> Score:
        """No judgement on this sample, and why."""
        return cls(None, reason)

    @classmethod
    def passed(cls, is_right: bool, reason: str = "") -> Score:
        """1 or 0."""
        return cls(float(is_right), reason)


@dataclass(frozen=True, slots=True)
class Failure:
    """An evaluator that could not do its work on a sample: a row of its own, in no mean. No text is quoted."""

    evaluator: str
    sample_id: str
    kind: str
    message: str


class EvaluatorError(Exception):
    """Why an evaluator cannot judge this sample; the message quotes neither prompt nor answer."""


class Evaluator(Protocol):
    """Judges one answer. A frozen dataclass whose fields are its settings."""

    name: ClassVar[str]
    """As in the registry."""
    scale: ClassVar[Scale]
    needs: ClassVar[Need]
    is_higher_better: ClassVar[bool | None]
    """None where neither direction is better by itself."""

    def score(self, sample: Sample, answer: Answer) -> Score:
        """The answer's score.

        Raises: EvaluatorError when the sample or the settings make judging impossible.
        """
        ...


class JudgedEvaluator(Evaluator, Protocol):
    """An evaluator whose need is a judgement."""

    def question(self, sample: Sample, text: str) -> str:
        """What the judge is asked about this answer."""
        ...


def evaluate(evaluator: Evaluator, sample: Sample, answer: Answer) -> Score | Failure:
    """The evaluator's score, or its failure as data: one bad sample or evaluator never loses a run."""
    try:
        return evaluator.score(sample, answer)
    except EvaluatorError as error:
        return Failure(evaluator.name, sample.id, "EvaluatorError", str(error))
    except Exception as error:  # noqa: BLE001 - evaluators may be anyone's code; the run goes on without this row
        # A foreign message may quote the answer, so only its kind is kept.
        return Failure(evaluator.name, sample.id, type(error).__name__, "the evaluator raised this error")

"""What is stored of an experiment: one row a request, an item, a phase."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evaluators.base import Likelihood
from evaluators.timing import RequestTiming
from workbench.core.chat import FinishReason


class RequestKind(StrEnum):
    """What a request was sent for."""

    LIKELIHOOD = "likelihood"
    ANSWER = "answer"
    JUDGE = "judge"
    """To the judge, about an answer."""
    WARM_UP = "warm_up"
    """Before a load test; shown, never counted."""
    LOAD = "load"
    UNDER_LOAD = "under_load"
    """An item of a probe, asked again beside many others."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request: raw event times, counts, hashes and scores; no text.

    Times are seconds on the monotonic clock of the run `run`, and only rows of one run may be compared by them.
    """

    id: str
    kind: RequestKind
    candidate: str
    run: str
    timing: RequestTiming
    probe: str = ""
    sample: str = ""
    repeat: int = 0
    choice: int | None = None
    likelihood: Likelihood | None = None
    finish_reason: FinishReason | None = None
    prompt_sha256: str = ""
    answer_sha256: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class TokenSurprise:
    """One token of an answer and how much it surprised the model itself, in nats: minus its log-probability."""

    text: str
    surprise: float


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One item of one candidate, done: what was asked, what came back, how it was judged."""

    id: str
    candidate: str
    probe: str
    sample: str
    repeat: int
    evaluator: str
    value: float | None
    reason: str
    failure: str
    prompt: str
    choices: tuple[str, ...]
    expected: tuple[str, ...]
    answer: str = ""
    finish_reason: FinishReason = FinishReason.STOP
    likelihoods: tuple[Likelihood, ...] = ()
    judgement: str = ""
    is_flagged: bool | None = None
    tokens: tuple[TokenSurprise, ...] = ()
    """The answer's tokens, where the probe asked for their probabilities."""


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """What the judge wrote about two candidates' answers to one item: the first as A, and then as B."""

    id: str
    probe: str
    sample: str
    first: str
    second: str
    forward: str
    backward: str
    first_words: int
    second_words: int


@dataclass(frozen=True, slots=True)
class UnderLoadRow:
    """One item of a probe, asked while so many were asked at once. No text."""

    id: str
    candidate: str
    probe: str
    sample: str
    concurrency: int
    value: float | None
    """The score; None where there is none."""
    failure: str
    finish_reason: FinishReason
    answer_sha256: str
    """Of the written answer, or of the choice that was found likeliest; empty where the request failed."""


class PhaseKind(StrEnum):
    """A stretch of a run with one candidate."""

    QUALITY = "quality"
    LOAD = "load"
    """One load test, or one level of a sweep."""
    SWEEP = "sweep"
    """All levels of a sweep together: written when no more are needed."""
    UNDER_LOAD = "under_load"
    """The items of a probe at one concurrency."""


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase that ended. `run` is what its request rows carry."""

    kind: PhaseKind
    candidate: str
    run: str
    began_at: str
    """UTC, ISO 8601."""
    seconds: float
    is_complete: bool
    offered_rate: float | None = None
    """Requests a second that were due, of a load phase; None of a closed loop."""
    asked_rate: float | None = None
    """The level of a sweep as it was planned, requests a second; chance makes the offered one differ a little."""
    concurrency: int | None = None
    """Items or requests at a time, where that was set."""
    together_with: tuple[str, ...] = ()
    """Candidates under load at the same time."""
    others_cpu_share: float | None = None
    """The share of the machine's processors that other programs used meanwhile; None where unknown."""
    foreign_requests: int = 0
    """Requests of other users that ran in this process meanwhile."""

    def is_isolated(self, most_others: float = 0.1) -> bool:
        """Whether nothing else that was seen used the machine."""
        alone = not self.together_with and self.foreign_requests == 0
        return alone and (self.others_cpu_share is None or self.others_cpu_share <= most_others)


def sample_id(candidate: str, probe: str, sample: str, repeat: int) -> str:
    """The id of an item's row."""
    return f"{candidate}/{probe}/{sample}/{repeat}"

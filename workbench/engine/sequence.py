"""One choice on its way: its tokens, its row, and the text and scores that may be shown."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass, field

from workbench.core.chat import FinishReason
from workbench.engine.grammar import JsonMatcher
from workbench.engine.requests import Deliver, EngineEvent, EngineRequest, TokenEvent, TokenScore
from workbench.engine.sampler import RowLogprobs, RowSampling
from workbench.engine.text import Detokenizer, StopScanner

_arrivals = itertools.count()


@dataclass(slots=True, eq=False)
class Job:
    """A request inside the engine: its choices, and where its events go."""

    request: EngineRequest
    deliver: Deliver
    arrival: int = field(default_factory=lambda: next(_arrivals))
    is_cancelled: bool = False
    unfinished: int = 0
    running: int = 0
    has_reported_prefill: bool = False

    @property
    def may_start_choice(self) -> bool:
        """True when one more of its choices may have a row."""
        return self.request.places is None or self.running < max(1, self.request.places())


@dataclass(slots=True)
class _Piece:
    """A generated token whose text may still be held back; `start` is where its text begins, in characters."""

    start: int
    score: TokenScore


@dataclass(slots=True, eq=False)
class Sequence:
    """One choice. `cached` tokens of `ids` have their keys and values in the row."""

    job: Job
    choice: int
    sampling: RowSampling
    text: Detokenizer
    stops: StopScanner
    eos_ids: frozenset[int]
    ids: list[int]
    prompt_length: int
    matcher: JsonMatcher | None = None
    cached: int = 0
    reused: int = 0
    prompt_scores: list[TokenScore] = field(default_factory=list)
    events: list[EngineEvent] = field(default_factory=list)
    finish: FinishReason | None = None
    _pieces: deque[_Piece] = field(default_factory=deque)
    _written: int = 0  # characters detokenized
    _released: int = 0  # characters given out
    _logprob_sum: float = 0.0

    @property
    def request(self) -> EngineRequest:
        """What was asked."""
        return self.job.request

    @property
    def generated(self) -> int:
        """How many tokens it has generated."""
        return len(self.ids) - self.prompt_length

    @property
    def is_only_scored(self) -> bool:
        """True when its prompt's logprobs are all that is asked for, and it has some."""
        request = self.request
        return (
            request.prompt_logprobs is not None
            and request.params.max_tokens == 0
            and request.choices == 1
            and self.scored > 0
        )

    @property
    def first_scored(self) -> int:
        """The first position whose logits score a token of the prompt: the one after it."""
        return max(self.request.prompt_logprobs_from - 1, 0)

    @property
    def scored(self) -> int:
        """How many tokens of the prompt are scored."""
        return max(self.prompt_length - 1 - self.first_scored, 0)

    def wants_scores(self) -> int | None:
        """How many alternatives to report with each token; None for no logprobs at all."""
        return self.request.logprobs

    def take(self, token_id: int, logprobs: RowLogprobs | None) -> None:
        """Adds a generated token: moves sampling and grammar on, releases text, and finishes where it must."""
        self.ids.append(token_id)
        self.sampling.take(token_id)
        params = self.sampling.params
        is_end = token_id in self.eos_ids and not params.ignore_eos
        if self.matcher is not None and not is_end:
            self.matcher.take(token_id)
        if logprobs is not None:
            self._logprob_sum += logprobs.chosen
            # Behind an echoed prompt the end counts as a token: who cuts one generated token off to score the prompt,
            # as lm-evaluation-harness does, must not cut off the prompt's own last one.
            if not is_end or self.request.prompt_logprobs is not None:
                top = tuple(zip(logprobs.top_ids, logprobs.top_logprobs, strict=True))
                self._pieces.append(_Piece(self._written, TokenScore(token_id, logprobs.chosen, top)))
        if is_end:
            self._end(FinishReason.STOP, 1)
            return
        text = self.text.push(token_id)
        self._written += len(text)
        if self._scan_stops(text, 1):
            return
        if self.generated >= params.max_tokens:
            self._end(FinishReason.LENGTH, 0)
        elif self.matcher is not None and self.matcher.is_complete:
            self._end(FinishReason.STOP, 0)

    def _scan_stops(self, text: str, token_count: int) -> bool:
        """Releases what no stop string can claim; True when one was found and the choice ended."""
        if self.generated <= self.sampling.params.min_tokens:
            self._emit(self.stops.flush() + text, token_count)
            return False
        shown, is_stopped = self.stops.push(text)
        if is_stopped:
            self._emit(shown, token_count, FinishReason.STOP, drop_rest=True)
        else:
            self._emit(shown, token_count)
        return is_stopped

    def _end(self, reason: FinishReason, token_count: int) -> None:
        """Ends the choice; text still held is checked for a stop string once more and then released."""
        tail = self.text.flush()
        self._written += len(tail)
        shown, is_stopped = self.stops.push(tail)
        if is_stopped:
            self._emit(shown, token_count, FinishReason.STOP, drop_rest=True)
        else:
            self._emit(shown + self.stops.flush(), token_count, reason)

    def end_without_tokens(self) -> None:
        """Ends a request that asked for no tokens."""
        self.finish = FinishReason.LENGTH
        self.events.append(TokenEvent(self.choice, "", 0, time.monotonic(), finish=FinishReason.LENGTH))

    def _emit(
        self, text: str, token_count: int, finish: FinishReason | None = None, *, drop_rest: bool = False
    ) -> None:
        self._released += len(text)
        scores = self._release_scores(everything=finish is not None and not drop_rest)
        self.finish = finish
        mean = self._logprob_sum / self.generated if finish is not None and self.generated else 0.0
        self.events.append(
            TokenEvent(self.choice, text, token_count, time.monotonic(), scores, finish, mean_logprob=mean)
        )

    def _release_scores(self, *, everything: bool) -> tuple[TokenScore, ...]:
        """Scores of tokens whose text has begun to be shown; at a plain end, of all tokens."""
        released: list[TokenScore] = []
        while self._pieces and (everything or self._pieces[0].start < self._released):
            released.append(self._pieces.popleft().score)
        return tuple(released)

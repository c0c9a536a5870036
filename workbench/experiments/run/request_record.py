"""What is remembered of one request, taken event by event."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from evaluators.base import Likelihood
from evaluators.timing import RequestTiming, Side, classify
from workbench.core.call_times import CallTimes
from workbench.core.chat import Delta, Finished, FinishReason, Started, TokenLogprob, Usage
from workbench.core.errors import BackendFailed
from workbench.experiments.record.rows import TokenSurprise
from workbench.experiments.run.calls import Reply


class RequestRecord:
    """Event times and contents of one request, taken as they come.

    A model of this process is timed by the engine's own moments, and its tokens' arrival here is the other side's time;
    a remote one is timed here, and the other side is what its server tells.
    """

    def __init__(self, sent: float, side: Side) -> None:
        self._sent = sent
        self._side = side
        self._usage: Usage | None = None
        self._admitted: float | None = None
        self._started: Started | None = None
        self._first: float | None = None
        self._first_content: float | None = None
        self._arrived: float | None = None
        self._told: CallTimes | None = None
        self._times: list[float] = []
        self._texts: list[str] = []
        self._tokens: list[TokenSurprise] = []
        self._finish: FinishReason | None = None

    def admit(self) -> None:
        """The gate of this process let the request in, now."""
        self._admitted = time.monotonic()

    def take(self, event: object) -> None:
        """The next event of the stream; a guard's verdicts among them are not this record's."""
        if isinstance(event, Started):
            self._started = event
        elif isinstance(event, Delta):
            self._take_delta(event)
        elif isinstance(event, Finished):
            self._usage, self._told = event.usage, event.told

    def _take_delta(self, delta: Delta) -> None:
        if delta.token_count:
            self._first = delta.at if self._first is None else self._first
            self._arrived = time.monotonic() if self._arrived is None else self._arrived
            self._times += [delta.at] * delta.token_count
        if delta.content:
            self._first_content = delta.at if self._first_content is None else self._first_content
            self._texts.append(delta.content)
        self._tokens += [TokenSurprise(t.text, -t.logprob) for t in delta.logprobs if t.logprob is not None]
        self._finish = delta.finish_reason or self._finish

    def likelihood(self, scored_from: Callable[[Sequence[TokenLogprob]], int]) -> Likelihood:
        """Of the prompt's tokens behind the context. Raises: BackendFailed when the model gave none."""
        tokens: tuple[TokenLogprob, ...] = () if self._started is None else self._started.prompt_logprobs
        scored = tokens[scored_from(tokens) :]
        values = [token.logprob for token in scored if token.logprob is not None]
        if not scored or len(values) < len(scored):
            raise BackendFailed("The model gave no log-probabilities.", code="no_logprobs")
        return Likelihood(min(sum(values), 0.0), len(values))

    def _seen(self, end: float) -> CallTimes | None:
        """What the reader in this process saw of its own engine; None where no token came."""
        if self._arrived is None:
            return None
        return CallTimes.between(self._sent, end, first_token=self._arrived, output_tokens=len(self._times))

    def reply(self, error: str, likelihood: Likelihood | None, *, is_length_fixed: bool) -> Reply:
        """The request as it is remembered, ending at this moment."""
        started, is_scored = self._started, likelihood is not None
        is_own = self._side is Side.SERVER
        usage = Usage(0, 0) if self._usage is None else self._usage
        end = time.monotonic()
        timing = RequestTiming(
            scheduled=self._sent,
            sent=self._sent,
            end=end,
            outcome=classify(self._finish, error=error, is_length_fixed=is_length_fixed or is_scored),
            admitted=self._admitted,
            first_token=self._first,
            first_content_token=self._first_content,
            # A remote server's chunks are no tokens: its own count is.
            token_times=tuple(self._times) if is_own else (),
            prompt_tokens=usage.prompt_tokens if started is None or not is_own else started.prompt_tokens,
            output_tokens=len(self._times) if is_own else usage.completion_tokens,
            error=error,
            side=self._side,
            other=self._seen(end) if is_own else self._told,
        )
        effective = {} if started is None else started.effective
        return Reply(
            timing,
            "".join(self._texts),
            self._finish,
            likelihood,
            str(effective.get("prompt_sha256", "")),
            "" if started is None else started.fingerprint,
            effective,
            tuple(self._tokens),
        )

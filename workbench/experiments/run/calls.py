"""One request to a candidate, with everything that is to be remembered of it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from evaluators.base import Likelihood, Sample
from evaluators.timing import RequestTiming, Side, classify
from guard.base import VerdictState
from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.caller import Caller
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Message,
    Role,
    Started,
    TextPrompt,
    TokenLogprob,
    TokenPrompt,
    TrafficClass,
    Usage,
)
from workbench.core.errors import BackendFailed, Unavailable, WorkbenchError
from workbench.core.params import GenerationParams
from workbench.experiments.record.rows import TokenSurprise
from workbench.experiments.spec.experiment import CandidateSpec
from workbench.service import CallOptions, Workbench

LOAD_WAIT_SECONDS = 1.0
_HASH_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request. `likelihood` is there where a continuation was scored."""

    timing: RequestTiming
    text: str = ""
    finish_reason: FinishReason | None = None
    likelihood: Likelihood | None = None
    prompt_sha256: str = ""
    fingerprint: str = ""
    effective: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[TokenSurprise, ...] = ()
    """There where they were asked for."""

    @property
    def answer_sha256(self) -> str:
        """A hash of the text; empty where there is none."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:_HASH_CHARACTERS] if self.text else ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A chat to be answered.

    `is_length_fixed`: the token limit is asked for and no truncation. `has_surprises`: the answer's tokens come with
    their probabilities.
    """

    model: str
    prompt: ChatPrompt
    params: GenerationParams
    traffic: TrafficClass
    is_length_fixed: bool = False
    has_surprises: bool = False


class Respondent(Protocol):
    """Everything an experiment needs of the models."""

    async def prepare(self, model: str) -> tuple[ModelCard, ModelInfo]:
        """The loaded model. Raises: a WorkbenchError when it cannot be loaded."""
        ...

    async def answer(self, ask: Ask) -> Reply:
        """The answer; what went wrong is a reply of the class "failed"."""
        ...

    async def likelihood(self, model: str, context: str, continuation: str) -> Reply:
        """How likely the model finds the continuation after the context; failures as in `answer`."""
        ...

    async def is_unsafe(self, turns: Sequence[Message]) -> bool | None:
        """Whether the guard finds the last turn unsafe; None where it cannot tell."""
        ...

    async def guard_name(self) -> str:
        """The guard that `is_unsafe` asks. Raises: Unavailable, NotFound."""
        ...

    def foreign_requests(self) -> int:
        """How many requests of others run at this moment."""
        ...


class ServiceRespondent:
    """Asks the service in this process, for one caller."""

    def __init__(self, workbench: Workbench, caller: Caller) -> None:
        self._workbench = workbench
        self._caller = caller
        self._running = 0

    async def prepare(self, model: str) -> tuple[ModelCard, ModelInfo]:
        """The loaded model. Raises: ModelNotFound, ModelNotAllowed, Unavailable when it cannot be loaded."""
        await self._workbench.warm(model, self._caller)
        status = self._workbench.model(model, self._caller)
        if status.info is None:
            raise Unavailable(
                status.error or f"The model `{model}` could not be loaded.", code="model_unavailable"
            )
        return status.card, status.info

    def foreign_requests(self) -> int:
        """Calls at the gate that are not this experiment's."""
        return max(0, self._workbench.load().running_calls - self._running)

    async def answer(self, ask: Ask) -> Reply:
        """The answer to a chat."""
        logprobs = 0 if ask.has_surprises else None
        request = GenerationRequest(ask.model, ask.prompt, ask.params, logprobs=logprobs)
        return await self._send(request, ask.traffic, is_length_fixed=ask.is_length_fixed)

    async def is_unsafe(self, turns: Sequence[Message]) -> bool | None:
        """The guard's word on the last turn."""
        _, verdicts = await self._workbench.moderate([turns], self._caller)
        return None if verdicts[0].state is VerdictState.UNAVAILABLE else verdicts[0].is_flagged

    async def guard_name(self) -> str:
        """The server's own guard. Raises: Unavailable, NotFound."""
        guard, _ = await self._workbench.moderate([], self._caller)
        return guard.name

    async def likelihood(self, model: str, context: str, continuation: str) -> Reply:
        """The sum of the log-probabilities of the continuation's tokens after the context's."""
        if self._is_remote(model):
            # Its tokenizer is not here: the server's own token texts tell where the context ends.
            request = _scoring(model, TextPrompt(context + continuation), 0)
            return await self._send(request, TrafficClass.BATCH, scored_from=partial(length_of_text, context))
        try:
            before = await self._workbench.tokenize(model, TextPrompt(context), self._caller)
            ids = await self._workbench.tokenize(model, TextPrompt(context + continuation), self._caller)
        except WorkbenchError as failure:
            return _Record(time.monotonic(), Side.SERVER).reply(_code(failure), None, is_length_fixed=True)
        # Sent as ids: what was scored is what was counted, and no guard reads a test item as a user's prompt.
        known = shared_length(before, ids)
        request = _scoring(model, TokenPrompt(ids), known)
        return await self._send(request, TrafficClass.BATCH, scored_from=lambda _: known)

    def _is_remote(self, model: str) -> bool:
        return self._workbench.model(model, self._caller).card.backend == "remote"

    async def _send(
        self,
        request: GenerationRequest,
        traffic: TrafficClass,
        *,
        is_length_fixed: bool = False,
        scored_from: Callable[[Sequence[TokenLogprob]], int] | None = None,
    ) -> Reply:
        record = _Record(time.monotonic(), Side.CLIENT if self._is_remote(request.model) else Side.SERVER)
        options = CallOptions(traffic, on_admit=lambda _: record.admit())
        error = ""
        self._running += 1
        try:
            async with aclosing(self._workbench.stream(request, self._caller, options)) as events:
                async for event in events:
                    record.take(event)
            likelihood = None if scored_from is None else record.likelihood(scored_from)
        except WorkbenchError as failure:
            error, likelihood = _code(failure), None
        finally:
            self._running -= 1
        return record.reply(error, likelihood, is_length_fixed=is_length_fixed)


def _scoring(model: str, prompt: TextPrompt | TokenPrompt, known: int) -> GenerationRequest:
    """The prompt's own log-probabilities behind its first `known` tokens, and nothing generated."""
    params = GenerationParams(max_tokens=0)
    return GenerationRequest(
        model, prompt, params, logprobs=0, prompt_logprobs=True, prompt_logprobs_from=known
    )


def _code(failure: WorkbenchError) -> str:
    """What a row keeps of a failure: its message may quote the request, its code does not."""
    return failure.code or type(failure).__name__


async def patiently(ask: Any, *, attempts: int = 30, wait_seconds: float = LOAD_WAIT_SECONDS) -> Reply:
    """The reply to `ask()`, sent again while the server has no place; for work that nobody times."""
    reply: Reply = await ask()
    for _ in range(attempts):
        if reply.timing.error not in (
            "rate_limit_exceeded",
            "overloaded",
            "model_loading",
            "engine_restarting",
        ):
            break
        await asyncio.sleep(wait_seconds)
        reply = await ask()
    return reply


def chat_prompt(candidate: CandidateSpec, sample: Sample) -> ChatPrompt:
    """The item as a chat, under the candidate's system prompt unless the item brings its own."""
    messages = sample.messages or (Message(Role.USER, sample.prompt),)
    if candidate.system and messages[0].role is not Role.SYSTEM:
        messages = (Message(Role.SYSTEM, candidate.system), *messages)
    return ChatPrompt(messages)


def length_of_text(context: str, tokens: Sequence[TokenLogprob]) -> int:
    """How many tokens at the beginning spell no more than the context; tokens that begin a text, as <s>, spell none.

    A token in which context and continuation join is scored.
    """
    spelled = context.encode()
    length = 0
    for number, token in enumerate(tokens):
        if number == 0 and not spelled.startswith(token.bytes):
            continue
        length += len(token.bytes)
        if length > len(spelled):
            return number
    return len(tokens)


def shared_length(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """How many tokens both begin with: where a tokenizer joins context and continuation, the joint is scored."""
    return next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )


class _Record:
    """Event times and contents of one request, taken as they come."""

    def __init__(self, sent: float, side: Side) -> None:
        self._sent = sent
        self._side = side
        self._usage: Usage | None = None
        self._admitted: float | None = None
        self._started: Started | None = None
        self._first: float | None = None
        self._first_content: float | None = None
        self._times: list[float] = []
        self._texts: list[str] = []
        self._tokens: list[TokenSurprise] = []
        self._finish: FinishReason | None = None

    def admit(self) -> None:
        self._admitted = time.monotonic()

    def take(self, event: object) -> None:
        """The next event of the stream; a guard's verdicts among them are not this record's."""
        if isinstance(event, Started):
            self._started = event
        elif isinstance(event, Delta):
            self._take_delta(event)
        elif isinstance(event, Finished):
            self._usage = event.usage

    def _take_delta(self, delta: Delta) -> None:
        if delta.token_count:
            self._first = delta.at if self._first is None else self._first
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

    def reply(self, error: str, likelihood: Likelihood | None, *, is_length_fixed: bool) -> Reply:
        """The request as it is remembered, ending at this moment."""
        started, is_scored = self._started, likelihood is not None
        is_own = self._side is Side.SERVER
        usage = Usage(0, 0) if self._usage is None else self._usage
        timing = RequestTiming(
            scheduled=self._sent,
            sent=self._sent,
            end=time.monotonic(),
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

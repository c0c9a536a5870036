"""The service in this process, asked for an experiment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial

from evaluators.timing import Side
from guard.base import VerdictState
from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.caller import Caller
from workbench.core.chat import (
    GenerationRequest,
    Message,
    TextPrompt,
    TokenLogprob,
    TokenPrompt,
    TrafficClass,
)
from workbench.core.errors import Unavailable, WorkbenchError
from workbench.core.params import GenerationParams
from workbench.experiments.run.calls import Ask, Reply
from workbench.experiments.run.request_record import RequestRecord
from workbench.service import CallOptions, Workbench


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
        request = GenerationRequest(ask.model, ask.prompt, ask.params, logprobs=logprobs, report_timing=True)
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
            return RequestRecord(time.monotonic(), Side.SERVER).reply(
                _code(failure), None, is_length_fixed=True
            )
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
        record = RequestRecord(
            time.monotonic(), Side.CLIENT if self._is_remote(request.model) else Side.SERVER
        )
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

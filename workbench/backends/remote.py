"""Any OpenAI-compatible endpoint as a Backend: a region of its own in the catalogue.

Which fields it honours is probed once, when it is opened; a request that sets a field which the endpoint ignores or
refuses is refused here by name, so that nothing is silently left out. A request that cannot have been answered is sent
again; an endpoint that keeps failing is left alone for a while.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any

from openai import APIConnectionError, AsyncOpenAI, AsyncStream, OpenAI, OpenAIError, Timeout

from workbench.backends.circuit import Circuit
from workbench.backends.remote_errors import (
    AnswerBrokenOff,
    as_workbench_error,
    is_endpoints_fault,
    pause_before_retry,
)
from workbench.backends.remote_probe import Probed, probe
from workbench.backends.remote_tally import StreamTally
from workbench.backends.remote_wire import (
    asks_prompt_scores,
    call_arguments,
    chat_deltas,
    is_chat,
    text_deltas,
    text_logprobs,
    told_times,
    usage_of,
)
from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.call_times import CallTimes
from workbench.core.chat import (
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Prompt,
    Started,
    StreamEvent,
)
from workbench.core.errors import ConfigurationError, UnsupportedParameter, WeightsError
from workbench.core.settings import Settings

UNKNOWN_CONTEXT = 8192
"""Taken for the context's length where neither catalogue nor endpoint says it, in tokens."""
TIMEOUT = Timeout(600.0, connect=10.0, pool=30.0)
"""In seconds: long between two tokens, since an endpoint may queue a request before its first; short to connect."""
_NO_KEY = "none"


class RemoteBackend:
    """One model of one endpoint. The endpoint does its own batching and queueing."""

    def __init__(self, card: ModelCard, client: AsyncOpenAI, probed: Probed) -> None:
        self._model = card.remote_model or card.id
        self._client = client
        self._circuit = Circuit()
        self._refused = probed.ignored | probed.refused
        self._spelling = probed.spelling
        self._info = ModelInfo(
            context_length=card.context_length or probed.context_length or UNKNOWN_CONTEXT,
            dtype=card.dtype or "remote",
            fingerprint=probed.fingerprint,
            features=probed.features,
            ignored_params=self._refused,
            places=card.max_concurrency,
        )

    @property
    def info(self) -> ModelInfo:
        """What the probe found."""
        return self._info

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """Raises: UnsupportedParameter; OpenAI's format has no route for it."""
        raise UnsupportedParameter("A remote model's tokens cannot be known here.", param="model")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. Raises: UnsupportedParameter, or the endpoint's own error as one of ours."""
        self._refuse_unsupported(request)
        await context.turn()
        self._circuit.enter()
        events = self._scored(request) if asks_prompt_scores(request) else self._streamed(request)
        try:
            async for event in events:
                if isinstance(event, Started):
                    self._circuit.succeeded()
                if isinstance(event, Delta) and event.finish_reason is not None:
                    context.finish_choice()
                yield event
        except (OpenAIError, AnswerBrokenOff, ValueError) as failure:
            # ValueError: what is no JSON where JSON was due
            self._judge(failure)
            raise as_workbench_error(failure) from failure
        except BaseException:
            self._circuit.left()
            raise

    def _judge(self, failure: Exception) -> None:
        """Whether the endpoint still answers is what the circuit wants to know, not whether it liked the request."""
        if is_endpoints_fault(failure):
            self._circuit.failed()
        else:
            self._circuit.succeeded()

    def _refuse_unsupported(self, request: GenerationRequest) -> None:
        for name in request.params.set_fields():
            if name in self._refused:
                raise UnsupportedParameter(f"This endpoint does not honour {name!r}.", param=name)
        for feature, is_asked, param in (
            ("logprobs", request.logprobs is not None and not request.prompt_logprobs, "logprobs"),
            ("prompt_logprobs", request.prompt_logprobs, "echo"),
            ("json_schema", request.output_format is not None, "response_format"),
            ("n", request.n > 1, "n"),
        ):
            if is_asked and feature not in self._info.features:
                raise UnsupportedParameter(f"This endpoint does not honour {param!r}.", param=param)

    async def _streamed(self, request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
        arguments = call_arguments(request, self._model, self._spelling)
        create: Any = (
            self._client.chat.completions.create if is_chat(request) else self._client.completions.create
        )
        sent = sorted(arguments)
        if request.report_timing and "timing" in self._info.features:
            arguments["extra_body"] = {**arguments.get("extra_body", {}), "x_timing": True}
        usage: Any = None
        told: CallTimes | None = None
        has_started = False
        tally = StreamTally()
        asked = partial(create, **arguments, stream=True, stream_options={"include_usage": True})
        async with await _with_retries(asked) as chunks:
            async for chunk in _received(chunks):
                if not has_started:
                    has_started = True
                    yield Started(0, chunk.system_fingerprint or self._info.fingerprint, {"sent": sent})
                usage = chunk.usage or usage
                told = told_times(chunk) or told
                for delta in (chat_deltas if is_chat(request) else text_deltas)(chunk):
                    tally.see(delta)
                    yield delta
        yield Finished(tally.usage(usage), told)

    async def _scored(self, request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
        """The prompt's own logprobs, through echo; servers that cannot generate nothing generate one token."""
        arguments = call_arguments(request, self._model, self._spelling) | {
            "echo": True,
            "logprobs": max(request.logprobs or 0, 1),
        }
        asked = partial(self._client.completions.create, **{**arguments, "max_tokens": 1, "n": 1})
        answer = await _with_retries(asked)
        usage = usage_of(answer.usage)
        scores = text_logprobs(answer.choices[0].logprobs)
        prompt_tokens = usage.prompt_tokens or max(len(scores) - 1, 0)
        yield Started(
            prompt_tokens,
            answer.system_fingerprint or self._info.fingerprint,
            prompt_logprobs=scores[:prompt_tokens],
        )
        yield Delta(0, finish_reason=FinishReason.LENGTH)
        yield Finished(usage)


async def _received(chunks: AsyncStream[Any]) -> AsyncGenerator[Any, None]:
    """The chunks. Raises: AnswerBrokenOff when the connection is lost, openai's errors for what the endpoint says."""
    has_text = False
    try:
        async for chunk in chunks:
            has_text = True
            yield chunk
    except APIConnectionError as failure:
        raise AnswerBrokenOff(has_text=has_text) from failure


async def _with_retries(ask: Callable[[], Awaitable[Any]]) -> Any:
    """What `ask` gives, asked again after a pause where that can help. Raises: the last failure."""
    attempt = 1
    while True:
        try:
            return await ask()
        except OpenAIError as failure:
            pause = pause_before_retry(failure, attempt)
            if pause is None:
                raise
        await asyncio.sleep(pause)
        attempt += 1


def open_backend(
    card: ModelCard, settings: Settings, progress: Progress, *, stored_key: str | None = None
) -> RemoteBackend:
    """Connects to the endpoint and probes it; blocking. The key is the variable's, else the stored one, else none.

    Raises: ConfigurationError when its key's variable is not set, WeightsError when it does not answer.
    """
    key = (stored_key or _NO_KEY) if card.api_key_env is None else os.environ.get(card.api_key_env)
    if key is None:
        raise ConfigurationError(
            f"{card.api_key_env} is not set: it must hold the key of `{card.id}`'s endpoint."
        )
    progress("probing the endpoint", 0.1)
    with OpenAI(base_url=card.source, api_key=key, max_retries=1, timeout=TIMEOUT) as client:
        try:
            probed = probe(client, card.remote_model or card.id)
        except OpenAIError as failure:
            reason = as_workbench_error(failure).message
            raise WeightsError(f"The endpoint of `{card.id}` cannot be used: {reason}") from failure
    progress("ready", 1.0)
    # Its pool holds up to 1,000 connections and keeps 100 idle ones for the next requests.
    return RemoteBackend(
        card, AsyncOpenAI(base_url=card.source, api_key=key, max_retries=0, timeout=TIMEOUT), probed
    )

"""Any OpenAI-compatible endpoint as a Backend: a region of its own in the catalogue.

Which fields it honours is probed once, when it is opened; a request that sets a field which the endpoint ignores or
refuses is refused here by name, so that nothing is silently left out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import Any

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    OpenAI,
    OpenAIError,
    Timeout,
)

from workbench.backends.remote_probe import Probed, probe
from workbench.backends.remote_wire import (
    asks_prompt_scores,
    call_arguments,
    chat_deltas,
    is_chat,
    text_deltas,
    text_logprobs,
    usage_of,
)
from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.chat import (
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Prompt,
    Started,
    StreamEvent,
)
from workbench.core.errors import (
    BackendFailed,
    ConfigurationError,
    InvalidRequest,
    RateLimited,
    Unavailable,
    UnsupportedParameter,
    WeightsError,
    WorkbenchError,
)
from workbench.core.settings import Settings

UNKNOWN_CONTEXT = 8192
"""Taken for the context's length where neither catalogue nor endpoint says it, in tokens."""
TIMEOUT = Timeout(600.0, connect=10.0)
_NO_KEY = "none"


class RemoteBackend:
    """One model of one endpoint. The endpoint does its own batching and queueing."""

    def __init__(self, card: ModelCard, client: AsyncOpenAI, probed: Probed) -> None:
        self._model = card.remote_model or card.id
        self._client = client
        self._refused = probed.ignored | probed.refused
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
        events = self._scored(request) if asks_prompt_scores(request) else self._streamed(request)
        try:
            async for event in events:
                if isinstance(event, Delta) and event.finish_reason is not None:
                    context.finish_choice()
                yield event
        except OpenAIError as failure:
            raise as_workbench_error(failure) from failure

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
        arguments = call_arguments(request, self._model)
        create: Any = (
            self._client.chat.completions.create if is_chat(request) else self._client.completions.create
        )
        usage: Any = None
        has_started = False
        async with await create(**arguments, stream=True, stream_options={"include_usage": True}) as chunks:
            async for chunk in chunks:
                if not has_started:
                    has_started = True
                    yield Started(
                        0, chunk.system_fingerprint or self._info.fingerprint, {"sent": sorted(arguments)}
                    )
                usage = chunk.usage or usage
                for delta in (chat_deltas if is_chat(request) else text_deltas)(chunk):
                    yield delta
        yield Finished(usage_of(usage))

    async def _scored(self, request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
        """The prompt's own logprobs, through echo; servers that cannot generate nothing generate one token."""
        arguments = call_arguments(request, self._model) | {
            "echo": True,
            "logprobs": max(request.logprobs or 0, 1),
        }
        answer = await self._client.completions.create(**{**arguments, "max_tokens": 1, "n": 1})
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


def as_workbench_error(failure: OpenAIError) -> WorkbenchError:
    """The endpoint's error as one of ours: its own message for what the caller can mend, ours for the rest."""
    if isinstance(failure, APITimeoutError):
        return Unavailable("The remote endpoint did not answer in time. Try again.", retry_after_seconds=5)
    if isinstance(failure, APIConnectionError):
        return Unavailable("The remote endpoint cannot be reached. Try again later.", retry_after_seconds=10)
    if isinstance(failure, APIStatusError):
        return _from_status(failure)
    if isinstance(failure, APIError):
        return BackendFailed(f"The remote endpoint failed in the middle: {failure.message}")
    return BackendFailed("The remote endpoint answered in a way that cannot be read.")


def _from_status(failure: APIStatusError) -> WorkbenchError:
    status = failure.status_code
    if status in (400, 404, 413, 422):
        return InvalidRequest(
            f"The remote endpoint refused the request: {failure.message}", param=failure.param
        )
    if status in (401, 403):
        return BackendFailed("The remote endpoint refused its key. The operator must correct api_key_env.")
    if status == 429:
        wait = failure.response.headers.get("retry-after", "")
        seconds = float(wait) if wait.replace(".", "", 1).isdigit() else 5.0
        return RateLimited(
            "The remote endpoint is busy, please try again later", retry_after_seconds=min(seconds, 120)
        )
    return Unavailable(f"The remote endpoint answered {status}. Try again later.", retry_after_seconds=5)


def open_backend(card: ModelCard, settings: Settings, progress: Progress) -> RemoteBackend:
    """Connects to the endpoint and probes it; blocking.

    Raises: ConfigurationError when its key's variable is not set, WeightsError when it does not answer.
    """
    key = os.environ.get(card.api_key_env) if card.api_key_env is not None else _NO_KEY
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
    return RemoteBackend(
        card, AsyncOpenAI(base_url=card.source, api_key=key, max_retries=0, timeout=TIMEOUT), probed
    )

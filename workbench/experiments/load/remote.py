"""A load test's requests to any OpenAI-compatible server, timed on this side of the wire."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from openai import APIError, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from evaluators.timing import RequestTiming, Side, classify
from workbench.backends.remote_wire import told_times
from workbench.core.call_times import CallTimes
from workbench.core.chat import FinishReason

LONGEST_ANSWER_SECONDS = 600.0
_ASK_TIMES = {"x_timing": True}


class RemoteLoad:
    """Sends one chat again and again. Requests are never repeated by themselves: that would hide failures."""

    def __init__(self, base_url: str, api_key: str, model: str, prompt: str, output_tokens: int) -> None:
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=api_key, max_retries=0, timeout=LONGEST_ANSWER_SECONDS
        )
        self._model = model
        self._prompt = prompt
        self._output_tokens = output_tokens
        self._tells_times = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def learn(self) -> None:
        """Asks once, untimed, whether the server tells its own times (`x_timing`, as a Workbench does)."""
        try:
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": "user", "content": self._prompt}],
                max_tokens=2,
                extra_body=_ASK_TIMES,
            )
        except APIError:
            return
        self._tells_times = told_times(answer) is not None

    async def __call__(self, request_index: int) -> RequestTiming:
        """The event times of one request; an error is a failed one, with its code."""
        times = _Times(time.monotonic())
        error = ""
        try:
            stream: AsyncStream[ChatCompletionChunk] = await self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": "user", "content": self._prompt}],
                max_tokens=self._output_tokens,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=_ASK_TIMES if self._tells_times else None,
            )
            async with stream:
                async for chunk in stream:
                    times.take(chunk)
        except APIError as failure:
            error = failure.code or type(failure).__name__
        return times.timing(error)


class _Times:
    """Event times of one stream.

    Tokens come several a chunk, so their number is the server's own count, and that of the chunks where it has none.
    """

    def __init__(self, sent: float) -> None:
        self._sent = sent
        self._first: float | None = None
        self._first_content: float | None = None
        self._prompt_tokens = 0
        self._output_tokens = 0
        self._pieces = 0
        self._finish: FinishReason | None = None
        self._told: CallTimes | None = None

    def take(self, chunk: ChatCompletionChunk) -> None:
        now = time.monotonic()
        self._told = told_times(chunk) or self._told
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt_tokens
            self._output_tokens = chunk.usage.completion_tokens
        for choice in chunk.choices:
            reasoning = getattr(choice.delta, "reasoning_content", None)
            if choice.delta.content or reasoning or choice.delta.tool_calls:
                self._first = now if self._first is None else self._first
                self._pieces += 1
            if choice.delta.content and self._first_content is None:
                self._first_content = now
            if choice.finish_reason is not None:
                known = choice.finish_reason in list(FinishReason)
                self._finish = FinishReason(choice.finish_reason) if known else FinishReason.STOP

    def timing(self, error: str) -> RequestTiming:
        return RequestTiming(
            scheduled=self._sent,
            sent=self._sent,
            end=time.monotonic(),
            # The limit was asked for: reaching it is no truncation.
            outcome=classify(self._finish, error=error, is_length_fixed=True),
            first_token=self._first,
            first_content_token=self._first_content,
            prompt_tokens=self._prompt_tokens,
            output_tokens=self._output_tokens or self._pieces,
            error=error,
            side=Side.CLIENT,
            other=self._told,
        )

"""The engine in this process as a Backend: submits prepared requests and turns the engine's events into a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from workbench.backends.outputs import OutputReader
from workbench.backends.preparation import Prepared, Preparer
from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.chat import (
    Delta,
    Finished,
    GenerationRequest,
    Prompt,
    Started,
    StreamEvent,
    TokenLogprob,
    Usage,
)
from workbench.core.settings import Settings
from workbench.engine.loader import LoadedModel, load_model
from workbench.engine.loop import Engine, EngineLoad
from workbench.engine.memory import kv_budget
from workbench.engine.prefixes import PrefixStore
from workbench.engine.requests import (
    Deliver,
    EngineEvent,
    EngineRequest,
    FailureEvent,
    PrefillEvent,
    TokenEvent,
    TokenScore,
)
from workbench.engine.text import TokenBytes

log = structlog.get_logger(__name__)

PREFIX_SHARE = 0.25
"""Share of the key-value budget that kept prefixes may take, up to MOST_PREFIX_BYTES."""
MOST_PREFIX_BYTES = 1 << 30
FEATURES = frozenset(
    {"logprobs", "prompt_logprobs", "json_schema", "tools", "best_of", "seed", "shared_prefixes"}
)


@dataclass(slots=True)
class _Tally:
    """What is counted and read along one stream."""

    readers: dict[int, OutputReader]
    open_choices: set[int]
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0

    def usage(self, prompt_tokens: int) -> Usage:
        return Usage(prompt_tokens, self.completion_tokens, self.cached_tokens, self.reasoning_tokens)


@dataclass(slots=True)
class _BestOf:
    """Holds all choices back until their mean logprobs are known, then lets the n best through, renumbered."""

    keep: int
    deltas: dict[int, list[Delta]] = field(default_factory=dict)
    means: dict[int, float] = field(default_factory=dict)

    def take(self, delta: Delta, event: TokenEvent) -> None:
        self.deltas.setdefault(delta.index, []).append(delta)
        if event.finish is not None:
            self.means[delta.index] = event.mean_logprob

    def best(self) -> Iterator[Delta]:
        ranked = sorted(self.means, key=lambda choice: (-self.means[choice], choice))[: self.keep]
        for place, choice in enumerate(ranked):
            for delta in self.deltas[choice]:
                yield Delta(
                    place, delta.content, delta.reasoning, delta.tool_calls, delta.logprobs,
                    delta.token_count, delta.finish_reason, delta.at,
                )  # fmt: skip


class LocalBackend:
    """One loaded model. All calls come from one event loop; the engine's thread posts back into it."""

    def __init__(self, card: ModelCard, loaded: LoadedModel, settings: Settings) -> None:
        self._card = card
        self._loaded = loaded
        self._loop: asyncio.AbstractEventLoop | None = None
        tokens = loaded.tokenizer.convert_ids_to_tokens(list(range(len(loaded.tokenizer))))
        self._bytes = TokenBytes(tokens, loaded.tokenizer.all_special_ids)
        self._longest = min(loaded.context_length, loaded.runner.longest())
        self._preparer = Preparer(loaded, self._longest)
        budget = kv_budget(loaded.runner.device.type, settings.kv_cache_bytes)
        self._engine = Engine(
            loaded.runner,
            loaded.tokenizer,
            eos_ids=loaded.eos_ids,
            prefixes=PrefixStore(
                budget_bytes=min(int(budget * PREFIX_SHARE), MOST_PREFIX_BYTES),
                idle_seconds=settings.prefix_idle_seconds,
            ),
            post=self._post,
        )
        self._engine.start()

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        loaded, quantization = self._loaded, self._card.quantization
        return ModelInfo(
            context_length=self._longest,
            dtype=loaded.dtype if quantization == "none" else quantization,
            fingerprint=loaded.fingerprint,
            features=FEATURES,
            is_batched=loaded.is_batched,
            parameters=loaded.parameters,
            memory_bytes=loaded.memory_bytes,
            places=loaded.places,
            spare_places=loaded.runner.max_rows - loaded.places,
            has_chat_template=loaded.tokenizer.chat_template is not None,
        )

    @property
    def load(self) -> EngineLoad:
        """How busy the engine is."""
        return self._engine.load

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids as the model sees them."""
        return self._preparer.prompt_ids(prompt)

    async def close(self) -> None:
        """Ends running requests with an error and frees the memory."""
        await asyncio.to_thread(self._engine.close)

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. Raises: ContextLengthExceeded, InvalidRequest, UnsupportedParameter, BackendFailed."""
        prepared = await self._preparer.prepare(request)
        await context.turn()
        if not self._engine.is_alive:
            log.error("the engine's thread had died; starting it again", model=self._card.id)
            self._engine.start()
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[EngineEvent] = asyncio.Queue()

        def deliver(events: Sequence[EngineEvent]) -> None:
            for event in events:
                queue.put_nowait(event)

        job = self._engine.submit(_engine_request(prepared, context), deliver)
        try:
            async for event in self._events(prepared, queue, context):
                yield event
        finally:
            self._engine.cancel(job)

    async def _events(
        self, prepared: Prepared, queue: asyncio.Queue[EngineEvent], context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        request = prepared.request
        choices = range(request.choices_generated)
        tally = _Tally({choice: OutputReader(prepared.output) for choice in choices}, set(choices))
        contest = _BestOf(request.n) if request.choices_generated > request.n else None
        while tally.open_choices:
            event = await queue.get()
            match event:
                case FailureEvent():
                    raise event.error
                case PrefillEvent():
                    tally.cached_tokens = event.cached_tokens
                    yield self._started(prepared, event)
                case TokenEvent():
                    delta = self._delta(event, tally, with_scores=request.logprobs is not None)
                    if event.finish is not None:
                        context.finish_choice()
                    if contest is None:
                        yield delta
                    else:
                        contest.take(delta, event)
        for delta in contest.best() if contest is not None else ():
            yield delta
        yield Finished(tally.usage(len(prepared.rendered.ids)))

    def _delta(self, event: TokenEvent, tally: _Tally, *, with_scores: bool) -> Delta:
        """One engine event as a Delta, read and counted."""
        scores = tuple(self._logprob(score) for score in event.scores) if with_scores else ()
        plain = Delta(
            event.choice, event.text, logprobs=scores, token_count=event.token_count,
            finish_reason=event.finish, at=event.at,
        )  # fmt: skip
        delta, is_reasoning = tally.readers[event.choice].read(plain)
        tally.completion_tokens += event.token_count
        tally.reasoning_tokens += event.token_count if is_reasoning else 0
        if event.finish is not None:
            tally.open_choices.discard(event.choice)
        return delta

    def _started(self, prepared: Prepared, event: PrefillEvent) -> Started:
        text = prepared.rendered.text
        if prepared.request.echo and text is None:
            text = self._loaded.tokenizer.decode(prepared.rendered.ids, skip_special_tokens=False)
        return Started(
            prompt_tokens=len(prepared.rendered.ids),
            fingerprint=self._loaded.fingerprint,
            effective=self._preparer.report(prepared, self._card.id),
            prompt_text=(text or "") if prepared.request.echo else "",
            prompt_logprobs=tuple(self._logprob(score) for score in event.prompt_scores),
        )

    def _logprob(self, score: TokenScore) -> TokenLogprob:
        top = tuple(self._token(token, value) for token, value in score.top)
        return self._token(score.token_id, score.logprob, top)

    def _token(
        self, token_id: int, logprob: float | None, top: tuple[TokenLogprob, ...] = ()
    ) -> TokenLogprob:
        return TokenLogprob(token_id, self._bytes.text(token_id), self._bytes.of(token_id), logprob, top)

    def _post(self, batch: Sequence[tuple[Deliver, Sequence[EngineEvent]]]) -> None:
        """Called from the engine's thread: hands one step's events to the event loop by a single wake-up."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return

        def spread() -> None:
            for deliver, events in batch:
                deliver(events)

        loop.call_soon_threadsafe(spread)


def _engine_request(prepared: Prepared, context: CallContext) -> EngineRequest:
    request = prepared.request
    is_contest = request.choices_generated > request.n
    return EngineRequest(
        prompt_ids=prepared.rendered.ids,
        params=prepared.effective,
        scope=context.scope,
        choices=request.choices_generated,
        logprobs=0 if is_contest and request.logprobs is None else request.logprobs,
        prompt_logprobs=(request.logprobs or 0) if request.prompt_logprobs else None,
        prompt_logprobs_from=request.prompt_logprobs_from,
        grammar=prepared.grammar,
        visible_ids=prepared.visible_ids,
        places=context.places,
    )


def open_backend(card: ModelCard, settings: Settings, progress: Progress) -> LocalBackend:
    """Loads the model of this card; blocking. Raises: WeightsError."""
    import torch

    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    return LocalBackend(card, load_model(card, settings, progress), settings)

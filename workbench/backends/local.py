"""The engine in this process as a Backend: renders prompts, submits, and turns the engine's events into a stream."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from workbench.backends.rendering import Rendered, render
from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.chat import (
    ChatPrompt,
    Delta,
    Finished,
    GenerationRequest,
    Prompt,
    Started,
    StreamEvent,
    TokenLogprob,
    Usage,
)
from workbench.core.effective import EffectiveParams, resolve
from workbench.core.errors import (
    ContextLengthExceeded,
    EngineRestarting,
    InvalidRequest,
    UnsupportedParameter,
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
"""Share of the key-value budget that kept prefixes may take."""


@dataclass(slots=True)
class _Tally:
    """What is counted along one stream."""

    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    open_choices: set[int] = field(default_factory=set)


class LocalBackend:
    """One loaded model. All calls come from one event loop; the engine's thread posts back into it."""

    def __init__(self, card: ModelCard, loaded: LoadedModel, settings: Settings) -> None:
        self._card = card
        self._loaded = loaded
        self._loop: asyncio.AbstractEventLoop | None = None
        tokens = loaded.tokenizer.convert_ids_to_tokens(range(len(loaded.tokenizer)))
        self._bytes = TokenBytes(tokens, loaded.tokenizer.all_special_ids)
        self._template_hash = _short_hash(str(loaded.tokenizer.chat_template))
        budget = kv_budget(loaded.runner.device.type, settings.kv_cache_bytes)
        self._longest = min(loaded.context_length, loaded.runner.longest())
        self._engine = Engine(
            loaded.runner,
            loaded.tokenizer,
            eos_ids=loaded.eos_ids,
            prefixes=PrefixStore(
                budget_bytes=int(budget * PREFIX_SHARE), idle_seconds=settings.prefix_idle_seconds
            ),
            post=self._post,
        )
        self._engine.start()

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        loaded = self._loaded
        return ModelInfo(
            context_length=self._longest,
            dtype=loaded.dtype if self._card.quantization == "none" else self._card.quantization,
            fingerprint=loaded.fingerprint,
            features=frozenset({"logprobs", "prompt_logprobs", "seed"}),
            is_batched=loaded.is_batched,
            parameters=loaded.parameters,
            memory_bytes=loaded.memory_bytes,
            places=loaded.runner.max_rows,
            has_chat_template=loaded.tokenizer.chat_template is not None,
        )

    @property
    def load(self) -> EngineLoad:
        """How busy the engine is."""
        return self._engine.load

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids as the model sees them."""
        return render(prompt, self._loaded.tokenizer).ids

    async def close(self) -> None:
        """Ends running requests with an error and frees the memory."""
        await asyncio.to_thread(self._engine.close)

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. Raises: ContextLengthExceeded, InvalidRequest, UnsupportedParameter, BackendFailed."""
        self._refuse_unsupported(request)
        rendered = render(request.prompt, self._loaded.tokenizer)
        effective = self._effective(request, rendered)
        if not self._engine.is_alive:
            self._restart()
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[EngineEvent] = asyncio.Queue()

        def deliver(events: Sequence[EngineEvent]) -> None:
            for event in events:
                queue.put_nowait(event)

        job = self._engine.submit(self._engine_request(request, rendered, effective, context), deliver)
        tally = _Tally(open_choices=set(range(request.choices_generated)))
        try:
            async for event in self._events(request, rendered, effective, queue, tally):
                yield event
        finally:
            self._engine.cancel(job)

    async def _events(
        self,
        request: GenerationRequest,
        rendered: Rendered,
        effective: EffectiveParams,
        queue: asyncio.Queue[EngineEvent],
        tally: _Tally,
    ) -> AsyncGenerator[StreamEvent, None]:
        while tally.open_choices:
            event = await queue.get()
            match event:
                case FailureEvent():
                    raise event.error
                case PrefillEvent():
                    tally.cached_tokens = event.cached_tokens
                    yield self._started(request, rendered, effective, event)
                case TokenEvent():
                    tally.completion_tokens += event.token_count
                    if event.finish is not None:
                        tally.open_choices.discard(event.choice)
                    yield Delta(
                        event.choice,
                        content=event.text,
                        logprobs=tuple(self._logprob(score) for score in event.scores),
                        token_count=event.token_count,
                        finish_reason=event.finish,
                        at=event.at,
                    )
        yield Finished(
            Usage(len(rendered.ids), tally.completion_tokens, tally.cached_tokens, tally.reasoning_tokens)
        )

    def _started(
        self, request: GenerationRequest, rendered: Rendered, effective: EffectiveParams, event: PrefillEvent
    ) -> Started:
        text = rendered.text
        if request.echo and text is None:
            text = self._loaded.tokenizer.decode(rendered.ids, skip_special_tokens=False)
        return Started(
            prompt_tokens=len(rendered.ids),
            fingerprint=self._loaded.fingerprint,
            effective=self._report(request, rendered, effective),
            prompt_text=(text or "") if request.echo else "",
            prompt_logprobs=tuple(self._logprob(score) for score in event.prompt_scores),
        )

    def _report(
        self, request: GenerationRequest, rendered: Rendered, effective: EffectiveParams
    ) -> dict[str, Any]:
        """What was really applied, for `x_effective`; nothing is ever clamped, so that list stays empty."""
        values = asdict(effective)
        sources = values.pop("sources")
        values["logit_bias"] = {str(token): bias for token, bias in effective.logit_bias.items()}
        return {
            "model": self._card.id,
            "params": values,
            "requested": sorted(name for name, source in sources.items() if source == "request"),
            "from_model": sorted(name for name, source in sources.items() if source == "model"),
            "defaulted": sorted(name for name, source in sources.items() if source == "default"),
            "clamped": [],
            "prompt_sha256": _short_hash(" ".join(map(str, rendered.ids))),
            "template_sha256": self._template_hash if isinstance(request.prompt, ChatPrompt) else None,
        }

    def _logprob(self, score: TokenScore) -> TokenLogprob:
        return TokenLogprob(
            score.token_id,
            self._bytes.text(score.token_id),
            self._bytes.of(score.token_id),
            score.logprob,
            tuple(
                TokenLogprob(token, self._bytes.text(token), self._bytes.of(token), value)
                for token, value in score.top
            ),
        )

    def _refuse_unsupported(self, request: GenerationRequest) -> None:
        prompt = request.prompt
        if isinstance(prompt, ChatPrompt) and prompt.tools:
            raise UnsupportedParameter("This model's backend does not call tools yet.", param="tools")
        if request.output_format is not None:
            raise UnsupportedParameter(
                "This model's backend does not constrain output yet.", param="response_format"
            )
        if request.best_of is not None and request.best_of != request.n:
            raise UnsupportedParameter("best_of must equal n on this backend.", param="best_of")

    def _effective(self, request: GenerationRequest, rendered: Rendered) -> EffectiveParams:
        """The request's values completed. Raises: ContextLengthExceeded, InvalidRequest."""
        param = "messages" if isinstance(request.prompt, ChatPrompt) else "prompt"
        prompt_tokens, limit = len(rendered.ids), self._longest
        if prompt_tokens == 0:
            raise InvalidRequest("The prompt is empty: give at least one token.", param=param)
        vocabulary = self._loaded.runner.vocabulary
        if not isinstance(request.prompt, ChatPrompt) and max(rendered.ids) >= vocabulary:
            raise InvalidRequest(
                f"The prompt has a token id beyond the vocabulary of {vocabulary}.", param=param
            )
        asked = request.params.max_tokens
        least = 1 if asked is None else asked
        if prompt_tokens + least > limit:
            raise ContextLengthExceeded(
                limit=limit, prompt_tokens=prompt_tokens, asked_tokens=least, param=param
            )
        for token in request.params.logit_bias or {}:
            if not token.isdigit() or int(token) >= vocabulary:
                raise InvalidRequest(
                    f"logit_bias maps token ids of this model, 0 to {vocabulary - 1}, to numbers.",
                    param="logit_bias",
                )
        return resolve(
            request.params,
            self._loaded.defaults,
            room_tokens=limit - prompt_tokens,
            fresh_seed=secrets.randbits(62),
        )

    def _engine_request(
        self,
        request: GenerationRequest,
        rendered: Rendered,
        effective: EffectiveParams,
        context: CallContext,
    ) -> EngineRequest:
        return EngineRequest(
            prompt_ids=rendered.ids,
            params=effective,
            scope=context.scope,
            choices=request.choices_generated,
            logprobs=request.logprobs,
            prompt_logprobs=(request.logprobs or 0) if request.prompt_logprobs else None,
        )

    def _post(self, batch: Sequence[tuple[Deliver, Sequence[EngineEvent]]]) -> None:
        """Called from the engine's thread: hands one step's events to the event loop by a single wake-up."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return

        def spread() -> None:
            for deliver, events in batch:
                deliver(events)

        loop.call_soon_threadsafe(spread)

    def _restart(self) -> None:
        log.error("the engine's thread had died; starting it again", model=self._card.id)
        self._engine.start()
        if not self._engine.is_alive:
            raise EngineRestarting("The model's engine is being restarted.", retry_after_seconds=2)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_backend(card: ModelCard, settings: Settings, progress: Progress) -> LocalBackend:
    """Loads the model of this card; blocking. Raises: WeightsError."""
    import torch

    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    return LocalBackend(card, load_model(card, settings, progress), settings)

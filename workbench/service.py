"""Workbench: the only place where a request's way is written.

admission -> model -> guard in -> generate -> guard out -> accounting. The page, the API and the command line all enter
here with a Caller; nothing above this module talks to a backend, a guard or the gate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import timedelta

from guard.base import Guard, ScreenedEvent, Verdict
from guard.check import check_last_turns
from guard.pipeline import Screening
from workbench.admission import Gate, GateLoad, QueuePosition, Rules, Ticket
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import ModelStatus, Pool
from workbench.core.access import KeyKind
from workbench.core.backend import Backend, CallContext, ModelCard
from workbench.core.caller import Caller
from workbench.core.chat import (
    ChatPrompt,
    Completion,
    CompletionBuilder,
    Delta,
    Finished,
    GenerationRequest,
    Message,
    Prompt,
    Started,
    StreamEvent,
    TrafficClass,
)
from workbench.core.errors import ContentFiltered, Forbidden, InvalidRequest, ModelNotAllowed, Unavailable
from workbench.core.settings import Settings
from workbench.joint_call import JointCall, PromptTicket
from workbench.recent_calls import RecentCalls
from workbench.screening import Guards, ScreeningChoice, as_told, conversation_of
from workbench.store import Store
from workbench.telemetry import Ending, Telemetry, Watch

MIN_PLACES = 4


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /health/ready says: whether the default model answers, or will once it is asked, and its state."""

    is_ready: bool
    is_stopping: bool
    status: ModelStatus


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How one call is made, beside what it asks.

    `screening` None leaves screening to operator and key. `on_screen` is told, before anything is judged, which guard
    and policy it came to, if any. `on_wait` is told of each new place in the queue, `on_admit` of the ticket when the
    wait is over. `on_watch` is told of what watches each prompt's way, in the prompts' order where they are read at
    once. All on the event loop.
    """

    traffic: TrafficClass = TrafficClass.INTERACTIVE
    request_id: str = ""
    screening: ScreeningChoice | None = None
    on_screen: Callable[[Screening], None] | None = None
    on_wait: Callable[[QueuePosition], None] | None = None
    on_admit: Callable[[PromptTicket], None] | None = None
    on_watch: Callable[[Watch], None] | None = None


DEFAULT_OPTIONS = CallOptions()


class Workbench:
    """Everything a door can ask for. Made once and injected; holds no request's text after its answer."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, pool: Pool, store: Store | None = None
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.guards = Guards(settings.guard, catalogue, pool)
        self._pool = pool
        self._store = store
        self._gate = Gate(
            self._places_of,
            Rules(total=settings.max_concurrency, queue_size=settings.queue_size),
            queue_seconds=settings.queue_timeout,
            tokens_today=self._tokens_today,
            spare=self._spare_places_of,
        )
        self.telemetry = Telemetry(self._gate.load)
        self.recent_calls = RecentCalls()
        self.started_at = time.time()
        self.is_ending = False
        self._warm_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to load the default model in the background; returns at once."""
        # A failed load is kept in the model's status: readiness and the page show it, the server stays up.
        self._warm_up = asyncio.create_task(
            self._pool.warm(self.catalogue.default.id), name="load the default model"
        )

    def stop_admitting(self) -> None:
        """Lets nobody in any more, and refuses who waits; who is in goes on."""
        self._gate.stop()

    async def drained(self, seconds: float) -> bool:
        """Waits for the last call to end; False when some still ran after `seconds`."""
        return await self._gate.drained(seconds)

    def end_streams(self) -> None:
        """Tells the page's chats, which look at `is_ending` ten times a second, to end and say why."""
        self.is_ending = True

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Lets nobody in any more, gives streams `grace_seconds` to end, then ends them and frees the models."""
        self._gate.stop()
        await self._gate.drained(grace_seconds)
        if self._warm_up is not None:
            self._warm_up.cancel()
            await asyncio.wait({self._warm_up})
        await self._pool.close()

    # -- what there is --

    @property
    def store(self) -> Store:
        """Keys, accounts, usage. Raises: Unavailable on a service that was made without one."""
        if self._store is None:
            raise Unavailable("This server runs without a store.")
        return self._store

    def readiness(self) -> Readiness:
        """Whether calls to the default model are answered: it has loaded once, and the server is not stopping.

        A model that was evicted for another since loads again on demand.
        """
        status = self._pool.status(self.catalogue.default.id)
        return Readiness(status.has_loaded and not self._gate.is_stopping, self._gate.is_stopping, status)

    def models(self, caller: Caller) -> tuple[ModelStatus, ...]:
        """The models this caller may use, in the catalogue's order."""
        return tuple(status for status in self._pool.statuses() if caller.may_use(status.card.id))

    def all_models(self) -> tuple[ModelStatus, ...]:
        """Every model of this server, whoever may use it."""
        return self._pool.statuses()

    def model(self, model: str, caller: Caller) -> ModelStatus:
        """One model. Raises: ModelNotFound, ModelNotAllowed."""
        return self._pool.status(self._card(model, caller).id)

    def load(self) -> GateLoad:
        """How many calls run and wait, and how many places they hold."""
        return self._gate.load()

    async def warm(self, model: str, caller: Caller) -> None:
        """Loads a model so that its first answer comes quickly. Raises: ModelNotFound, ModelNotAllowed."""
        await self._pool.warm(self._card(model, caller).id)

    def add_model(self, card: ModelCard) -> None:
        """Offers another model from now on, and begins to load it. Raises: InvalidRequest when its id is taken."""
        self.catalogue.add(card)
        self._pool.add(card)
        self._pool.begin(card.id)

    async def remove_model(self, model: str) -> None:
        """Offers the model no more. Raises: ModelNotFound; InvalidRequest while it answers, and for the default one."""
        if self._pool.is_in_use(self.catalogue.get(model).id):
            raise InvalidRequest(f"`{model}` is in use. Try again when its answers have ended.", param="id")
        self.catalogue.remove(model)
        await self._pool.remove(model)

    async def create_key(self, caller: Caller, name: str, expires_seconds: float | None) -> str:
        """The secret of a new inference key of the caller's account, shown this once. None: it never expires."""
        expires = None if expires_seconds is None else timedelta(seconds=expires_seconds)
        made = await self.store.keys.create(
            name=name, kind=KeyKind.INFERENCE, account=caller.account, expires=expires
        )
        return made.secret

    def _card(self, model: str, caller: Caller) -> ModelCard:
        card = self.catalogue.get(model)
        if not caller.may_use(model):
            raise ModelNotAllowed(
                f"This key may not use the model `{model}`. Ask its owner to widen its scope.", param="model"
            )
        return card

    async def _tokens_today(self, caller: Caller) -> int:
        return 0 if self._store is None else await self._store.usage.tokens_today(caller)

    def _places_of(self, model: str) -> int | None:
        """What the engine can hold of this model at once; None until it is loaded."""
        status = self._pool.status(model)
        places = status.card.max_concurrency or (status.info.places if status.info is not None else None)
        return None if places is None else max(places, 1)

    def _spare_places_of(self, model: str) -> int:
        status = self._pool.status(model)
        return 0 if status.info is None else status.info.spare_places

    # -- generating --

    async def stream(
        self, request: GenerationRequest, caller: Caller, options: CallOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[ScreenedEvent, None]:
        """The request's events: Started, Deltas of all choices with the guard's verdicts among them, Finished.

        Everything that can be refused is refused before Started. Closing the generator frees the slot within a step.
        Raises: a WorkbenchError.
        """
        (events,) = self.streams((request,), caller, options)
        async with aclosing(events):
            async for event in events:
                yield event

    def streams(
        self, requests: Sequence[GenerationRequest], caller: Caller, options: CallOptions = DEFAULT_OPTIONS
    ) -> list[AsyncGenerator[ScreenedEvent, None]]:
        """A stream, as `stream` gives it, for each prompt of one call to one model.

        They pass the gate as one call and share its places in their order, so read them at once.
        """
        card = self._card(requests[0].model, caller)
        choices = [request.choices_generated for request in requests]
        call = JointCall(lambda: self._admit(card, sum(choices), caller, options), choices)
        return [
            self._stream(request, card, caller, options, call.prompt(number))
            for number, request in enumerate(requests)
        ]

    def _admit(
        self, card: ModelCard, choices: int, caller: Caller, options: CallOptions
    ) -> AbstractAsyncContextManager[Ticket]:
        return self._gate.admit(
            caller, card.id, choices=choices, traffic=options.traffic, on_wait=options.on_wait
        )

    async def _stream(
        self,
        request: GenerationRequest,
        card: ModelCard,
        caller: Caller,
        options: CallOptions,
        admission: AbstractAsyncContextManager[PromptTicket],
    ) -> AsyncGenerator[ScreenedEvent, None]:
        """A prompt's whole way, watched."""
        operation = "chat" if isinstance(request.prompt, ChatPrompt) else "text_completion"

        def remember(ending: Ending) -> None:
            self.recent_calls.add(caller, card.id, operation, ending)

        with self.telemetry.call(card.id, operation, options.traffic, remember) as watch:
            if options.on_watch is not None:
                options.on_watch(watch)
            way = self._way(request, card, caller, options, admission, watch)
            async with aclosing(way) as events:
                async for event in events:
                    yield event

    async def _way(
        self,
        request: GenerationRequest,
        card: ModelCard,
        caller: Caller,
        options: CallOptions,
        admission: AbstractAsyncContextManager[PromptTicket],
        watch: Watch,
    ) -> AsyncGenerator[ScreenedEvent, None]:
        """Lease, gate, guard in, generate, guard out, accounting."""
        self._gate.refuse_when_stopping()
        if options.screening is not None and options.screening.is_override and not caller.is_admin:
            raise Forbidden("Only the operator may let a message past the guard.")
        screening = await self.guards.screening(options.screening, caller.moderation)
        if screening is not None and options.on_screen is not None:
            options.on_screen(screening)
        async with (
            self._pool.lease(card.id, wait_seconds=self.settings.queue_timeout) as backend,
            admission as ticket,
        ):
            watch.admitted(ticket.waited_seconds)
            if options.on_admit is not None:
                options.on_admit(ticket)
            context = CallContext(
                caller.scope, options.request_id, lambda: ticket.places, ticket.finish_choice, ticket.turn
            )
            events = self._generate(request, backend, context, screening, watch)
            try:
                async with aclosing(events) as stream:
                    async for event in stream:
                        yield event
            finally:
                await self._account(caller, card, watch)

    async def _generate(
        self,
        request: GenerationRequest,
        backend: Backend,
        context: CallContext,
        screening: Screening | None,
        watch: Watch,
    ) -> AsyncGenerator[ScreenedEvent, None]:
        """The backend's events, screened; what it generates is counted whether or not it is shown."""
        generation = _watched(backend.stream(request, context), watch)
        events: AsyncGenerator[ScreenedEvent, None] = generation
        if screening is not None:
            turns, param = conversation_of(request.prompt, screening)
            screened = screening.stream(turns, generation, context, choices=request.n, param=param)
            events = as_told(screened, screening, self.telemetry.screened)
        try:
            async with aclosing(events):
                async for event in events:
                    yield event
        except ContentFiltered:
            if screening is not None:
                self.telemetry.blocked(screening.guard.name)
            raise

    async def _account(self, caller: Caller, card: ModelCard, watch: Watch) -> None:
        """Adds what was generated to the caller's use, also when the stream was cut short."""
        if self._store is not None and watch.has_started:
            await self._store.usage.add(caller, card.id, watch.counted(), card.price_per_million_tokens)

    async def complete(
        self, request: GenerationRequest, caller: Caller, options: CallOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """The whole result of `stream`. Raises: a WorkbenchError."""
        builder = CompletionBuilder()
        async with aclosing(self.stream(request, caller, options)) as events:
            async for event in events:
                if isinstance(event, Started | Delta | Finished):
                    builder.add(event)
        return builder.completion()

    async def tokenize(self, model: str, prompt: Prompt, caller: Caller) -> tuple[int, ...]:
        """The prompt's token ids. Raises: a WorkbenchError."""
        card = self._card(model, caller)
        self._gate.refuse_when_stopping()
        async with self._pool.lease(card.id, wait_seconds=self.settings.queue_timeout) as backend:
            return await backend.tokenize(prompt)

    # -- moderation --

    async def moderate(
        self, conversations: Sequence[Sequence[Message]], caller: Caller, guard: str | None = None
    ) -> tuple[Guard, list[Verdict]]:
        """A guard's verdicts on the last turn of each conversation, user's or assistant's.

        Raises: NotFound for a guard that does not exist; Unavailable for one that cannot be opened.
        """
        self._gate.refuse_when_stopping()
        opened = await self.guards.open(guard or self.guards.default)
        return opened, await check_last_turns(opened, conversations, CallContext(caller.scope))


async def _watched(
    events: AsyncGenerator[StreamEvent, None], watch: Watch
) -> AsyncGenerator[StreamEvent, None]:
    """The same events, watched: what is generated counts whether or not it is shown."""
    async with aclosing(events):
        async for event in events:
            watch.see(event)
            yield event

"""Which guards there are, and which screens a request: the operator says first, then the key, then the request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from guard.base import Guard, GuardOptions, Screened, ScreenedEvent
from guard.pipeline import Screening
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from workbench.backends.catalogue import Catalogue
from workbench.backends.leased import LeasedBackend
from workbench.backends.pool import Pool
from workbench.core.chat import ChatPrompt, Message, Prompt, Role, TextPrompt, TokenPrompt
from workbench.core.errors import (
    ConfigurationError,
    NotFound,
    Unavailable,
    UnsupportedParameter,
    WorkbenchError,
)
from workbench.core.registry import GUARDS, load

EMBEDDED = "embedded"
OFF = "off"
_MODEL_KINDS = tuple(sorted(kind for kind in GUARDS if kind not in (OFF, EMBEDDED)))


@dataclass(frozen=True, slots=True)
class ScreeningChoice:
    """What a caller asks for: a guard by name (None: the server's own) and a policy.

    `param` is the request's field that names the guard. `is_override`: the operator's own call, which is marked where
    it would be blocked, whatever was laid down; the service refuses it to anybody else.
    """

    policy: ScreeningPolicy
    guard: str | None = None
    param: str = "moderation.model"
    is_override: bool = False


class Guards:
    """The guards of this server by name: the embedded one and every catalogue entry that is a Llama Guard.

    Each is opened once, on first use. `configured` is WORKBENCH_GUARD: a name, or `name:mode`, or `off`.
    Raises: ConfigurationError for a name or mode that does not exist.
    """

    def __init__(self, configured: str | None, catalogue: Catalogue, pool: Pool) -> None:
        self._pool = pool
        self._kinds = {card.id: card.guard for card in catalogue.cards.values() if card.guard is not None}
        for name, kind in self._kinds.items():
            if kind not in _MODEL_KINDS:
                raise ConfigurationError(
                    f"The catalogue says that {name!r} is the guard {kind!r}. Known: {', '.join(_MODEL_KINDS)}."
                )
        self._opened: dict[str, Guard] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._operator, self._operator_mode = _read_configured(configured)
        if self._operator not in (None, OFF, *self.names):
            raise ConfigurationError(
                f"WORKBENCH_GUARD: there is no guard {self._operator!r}. Known: off, {', '.join(self.names)}; "
                "a mode may follow, as in embedded:block (shadow, score, block)."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Every guard that can be asked for."""
        return (EMBEDDED, *self._kinds)

    @property
    def default(self) -> str | None:
        """The guard that screens when nobody names one: the operator's, a Llama Guard, or the embedded one.

        None when the operator turned screening off.
        """
        if self._operator == OFF:
            return None
        return self._operator or next(iter(self._kinds), EMBEDDED)

    @property
    def page_choice(self) -> ScreeningChoice | None:
        """How the page screens unless its user says otherwise: a Llama Guard blocks, the embedded guard marks."""
        name = self.default
        if name is None:
            return None
        mode = self._operator_mode or (Mode.BLOCK if name in self._kinds else Mode.SCORE)
        return ScreeningChoice(_both(mode), name)

    @property
    def operator_choice(self) -> ScreeningChoice | None:
        """What the operator laid down for every chat, over the API as well; None when nothing."""
        return self.page_choice if self._operator not in (None, OFF) else None

    async def screening(self, asked: ScreeningChoice | None, key_mode: str | None = None) -> Screening | None:
        """The guard and policy for one request: the strictest of what operator, key and request say of each side.

        `key_mode` is the mode that the caller's key demands of both sides. None comes back when nobody says anything.
        Raises: NotFound for a guard that does not exist; UnsupportedParameter for another guard than the one that
        operator or key have laid down; Unavailable when a guard is demanded and cannot be had.
        """
        laid_down = [] if self.operator_choice is None else [self.operator_choice.policy]
        laid_down += [] if key_mode is None else [_both(Mode(key_mode))]
        laid_down = [policy for policy in laid_down if not policy.is_off]
        if not laid_down and asked is None:
            return None
        guard = await self.open(*self._chosen(asked, is_laid_down=bool(laid_down)))
        first, *others = [*laid_down, *([] if asked is None else [asked.policy])]
        for policy in others:
            first = first.tightened(policy, guard)
        return Screening(guard, first.marking() if asked is not None and asked.is_override else first)

    def _chosen(self, asked: ScreeningChoice | None, *, is_laid_down: bool) -> tuple[str | None, str]:
        """The name of the guard for a request and the field that says so. Raises: see `screening`."""
        name, param = (None, "moderation.model") if asked is None else (asked.guard, asked.param)
        if not is_laid_down:
            return name or self.default, param
        if self.default is None:
            raise Unavailable(
                "This key's calls must be screened and this server has no guard. Ask the operator to set one.",
                code="guard_unavailable",
            )
        if name in self.names and name != self.default:
            raise UnsupportedParameter(
                f"These calls are screened by the guard {self.default}. Name it, or leave the field out.",
                param=param,
            )
        return name or self.default, param

    async def open(self, name: str | None, param: str = "model") -> Guard:
        """The guard of this name, opened if need be; `param` is the request's field that named it.

        Raises: NotFound when there is none of that name; Unavailable when it cannot be opened.
        """
        if name is None or name not in self.names:
            known = ", ".join(self.names) or "none"
            raise NotFound(
                f"There is no such guard here. Guards of this server: {known}.",
                param=param,
                code="model_not_found",
            )
        if name not in self._opened:
            async with self._locks[name]:
                if name not in self._opened:
                    self._opened[name] = await self._open(name)
        return self._opened[name]

    async def _open(self, name: str) -> Guard:
        try:
            return await (self._open_model(name) if name in self._kinds else self._open_embedded(name))
        except WorkbenchError as failure:
            reason, retry_after = failure.message, failure.retry_after_seconds
        except (OSError, ValueError) as failure:
            reason, retry_after = f"its files cannot be read ({type(failure).__name__}).", None
        raise Unavailable(
            f"The guard {name} could not be opened: {reason}",
            code="guard_unavailable",
            retry_after_seconds=retry_after,
        )

    async def _open_embedded(self, name: str) -> Guard:
        opener = load(GUARDS, name, "guard")
        opened: Guard = await asyncio.to_thread(opener, GuardOptions(kind=name, name=name), None)
        return opened

    async def _open_model(self, name: str) -> Guard:
        kind = self._kinds[name]
        opener = load(GUARDS, kind, "guard")
        async with self._pool.lease(name) as backend:
            is_remote = self._pool.status(name).card.backend == "remote"
            options = GuardOptions(kind=kind, name=name, is_remote=is_remote)
            opened: Guard = opener(options, LeasedBackend(self._pool, name, backend.info))
            return opened


def conversation_of(prompt: Prompt, screening: Screening) -> tuple[tuple[Message, ...], str]:
    """What a guard reads, and the request's field it was in: the messages, or a plain prompt as one user turn.

    Token ids are no text: they give no turn at all, which no guard takes for safe.
    Raises: UnsupportedParameter for token ids that would have to be blocked if unsafe.
    """
    match prompt:
        case ChatPrompt():
            return prompt.messages, "messages"
        case TextPrompt():
            return (Message(Role.USER, prompt.text),), "prompt"
        case TokenPrompt():
            if screening.policy.input.mode is Mode.BLOCK:
                raise UnsupportedParameter(
                    "The input of this call is screened, and a guard reads text. Send text, not token ids.",
                    param="prompt",
                )
            return (), "prompt"


async def as_told(
    events: AsyncGenerator[ScreenedEvent, None],
    screening: Screening,
    on_verdict: Callable[[Screened], None],
) -> AsyncGenerator[ScreenedEvent, None]:
    """The same events without the verdicts that the caller is not to notice; `on_verdict` is told of all."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Screened):
                on_verdict(event)
            if not isinstance(event, Screened) or screening.policy.of(event.direction).mode.is_told:
                yield event


def _both(mode: Mode) -> ScreeningPolicy:
    return ScreeningPolicy(input=DirectionPolicy(mode), output=DirectionPolicy(mode))


def _read_configured(configured: str | None) -> tuple[str | None, Mode | None]:
    """`name`, `name:mode` or None. Raises: ConfigurationError for a mode that does not exist."""
    if not configured:
        return None, None
    name, _, mode = configured.rpartition(":")
    if name and mode in set(Mode):
        return name, Mode(mode)
    return configured, None

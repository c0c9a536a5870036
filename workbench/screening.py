"""Which guards there are, and which of them screens a request: the operator's word first, then the request's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from guard.base import Guard, GuardOptions
from guard.pipeline import Screening
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from workbench.backends.catalogue import Catalogue
from workbench.backends.leased import LeasedBackend
from workbench.backends.pool import Pool
from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.core.registry import GUARDS, load

EMBEDDED = "embedded"
OFF = "off"


@dataclass(frozen=True, slots=True)
class ScreeningChoice:
    """What a caller asks for: a guard by name (None: the server's own) and a policy."""

    policy: ScreeningPolicy
    guard: str | None = None


class Guards:
    """The guards of this server by name: the embedded one and every catalogue entry that is a Llama Guard.

    Each is opened once, on first use. `configured` is WORKBENCH_GUARD: a name, or `name:mode`, or `off`.
    Raises: ConfigurationError for a name or mode that does not exist.
    """

    def __init__(self, configured: str | None, catalogue: Catalogue, pool: Pool) -> None:
        self._pool = pool
        self._kinds = {card.id: card.guard for card in catalogue.cards.values() if card.guard is not None}
        for name, kind in self._kinds.items():
            if kind not in GUARDS or kind == OFF:
                raise ConfigurationError(
                    f"The catalogue says that {name!r} is the guard {kind!r}. Known: {', '.join(sorted(GUARDS))}."
                )
        self._opened: dict[str, Guard] = {}
        self._lock = asyncio.Lock()
        self._operator, self._operator_mode = _read_configured(configured)
        if self._operator not in (None, OFF, *self.names):
            raise ConfigurationError(
                f"WORKBENCH_GUARD: there is no guard {self._operator!r}. Known: off, {', '.join(self.names)}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Every guard that can be asked for."""
        own = (EMBEDDED,) if EMBEDDED in GUARDS else ()
        return (*own, *self._kinds)

    @property
    def default(self) -> str | None:
        """The guard that screens when nobody names one: the operator's, a Llama Guard, the embedded one, or none."""
        if self._operator == OFF:
            return None
        return self._operator or next(iter(self._kinds), None) or next(iter(self.names), None)

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

    async def screening(self, asked: ScreeningChoice | None) -> Screening | None:
        """The guard and policy for one request: what was asked, never looser than what the operator laid down.

        Raises: InvalidRequest for a guard that does not exist.
        """
        laid_down = self.operator_choice
        if asked is None and laid_down is None:
            return None
        if asked is None or laid_down is None:
            only = asked or laid_down
            assert only is not None
            guard = await self.open(only.guard or self.default)
            return Screening(guard, only.policy)
        guard = await self.open(laid_down.guard)
        return Screening(guard, laid_down.policy.tightened(asked.policy, guard))

    async def open(self, name: str | None) -> Guard:
        """The guard of this name, opened if need be.

        Raises: InvalidRequest when there is none of that name; WeightsError when its model cannot be loaded.
        """
        if name is None or name not in self.names:
            known = ", ".join(self.names) or "none; set WORKBENCH_GUARD"
            raise InvalidRequest(
                f"There is no such guard on this server. Known: {known}.", param="moderation"
            )
        async with self._lock:
            if name not in self._opened:
                self._opened[name] = await self._open(name)
            return self._opened[name]

    async def _open(self, name: str) -> Guard:
        kind = self._kinds.get(name, name)
        opener = load(GUARDS, kind, "guard")
        if name not in self._kinds:
            opened: Guard = await asyncio.to_thread(opener, GuardOptions(kind=kind, name=name), None)
            return opened
        async with self._pool.lease(name) as backend:
            is_remote = self._pool.status(name).card.backend == "remote"
            options = GuardOptions(kind=kind, name=name, is_remote=is_remote)
            over: Guard = opener(options, LeasedBackend(self._pool, name, backend.info))
            return over


def _both(mode: Mode) -> ScreeningPolicy:
    return ScreeningPolicy(input=DirectionPolicy(mode), output=DirectionPolicy(mode))


def _read_configured(configured: str | None) -> tuple[str | None, Mode | None]:
    """`name`, `name:mode` or None. Raises: ConfigurationError for a mode that does not exist."""
    if configured is None:
        return None, None
    name, _, mode = configured.rpartition(":")
    if name and mode in set(Mode):
        return name, Mode(mode)
    return configured, None

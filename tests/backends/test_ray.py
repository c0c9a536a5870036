"""The front door's side of a handle, without Ray: a handle that fails as Ray's do, with errors of the same names."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Self

import pytest

from workbench.backends.ray import ATTEMPTS, RayBackend
from workbench.cluster.failure import Failure
from workbench.cluster.replica import Batch
from workbench.core.backend import CallContext, ModelInfo
from workbench.core.chat import (
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    Started,
    StreamEvent,
    TextPrompt,
    Usage,
)
from workbench.core.errors import BackendFailed, Unavailable


class RayError(Exception):
    """Ray's root of what a task can end with."""


class RayActorError(RayError):
    """Ray's word for a replica that died."""


class RayServeException(Exception):
    """Ray Serve's root."""


class BackPressureError(RayServeException):
    """All replicas are full."""


class DeploymentUnavailableError(RayServeException):
    """The cluster has gone."""


@pytest.fixture(autouse=True)
def ray(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, serve = ModuleType("ray.exceptions"), ModuleType("ray.serve.exceptions")
    plain.__dict__.update(RayError=RayError, RayActorError=RayActorError)
    serve.__dict__.update(
        RayServeException=RayServeException,
        BackPressureError=BackPressureError,
        DeploymentUnavailableError=DeploymentUnavailableError,
    )
    for module in (ModuleType("ray"), plain, ModuleType("ray.serve"), serve):
        monkeypatch.setitem(sys.modules, module.__name__, module)


class Answer:
    """What a call on a handle gives: batches, then the error; `cancel` repeats an error that came before any batch."""

    def __init__(self, batches: list[Batch], error: Exception | None) -> None:
        self._batches, self._error = batches, error
        self.is_cancelled = False

    async def __aiter__(self) -> AsyncIterator[Batch]:
        for batch in self._batches:
            yield batch
        if self._error is not None:
            raise self._error

    def cancel(self) -> None:
        self.is_cancelled = True
        if self._error is not None and not self._batches:
            raise self._error


class Handle:
    """Gives one answer after the other, and keeps them."""

    def __init__(self, *answers: Answer) -> None:
        self.given: list[Answer] = []
        self._answers = list(answers)

    def options(self, *, stream: bool) -> Self:
        assert stream
        return self

    @property
    def stream(self) -> Self:
        return self

    def remote(self, asked: object) -> Answer:
        self.given.append(self._answers.pop(0))
        return self.given[-1]


INFO = ModelInfo(context_length=100, dtype="float32", fingerprint="f")
FIRST: Batch = (Started(3, "f"),)
ELSEWHEN = 1e12
"""What another machine's clock may say."""
REST: Batch = (
    Delta(0, "Hi", token_count=1, finish_reason=FinishReason.STOP, at=ELSEWHEN),
    Finished(Usage(3, 1)),
)


async def asked_of(handle: Handle) -> list[StreamEvent]:
    request = GenerationRequest("m", TextPrompt("Say it"))
    return [event async for event in RayBackend(handle, INFO).stream(request, CallContext("test"))]


def untimed(events: Iterable[StreamEvent | Failure]) -> list[StreamEvent | Failure]:
    return [replace(event, at=0.0) if isinstance(event, Delta) else event for event in events]


async def test_a_pieces_time_is_of_this_machines_clock() -> None:
    began = time.monotonic()
    (piece,) = [e for e in await asked_of(Handle(Answer([FIRST, REST], None))) if isinstance(e, Delta)]
    assert began <= piece.at <= time.monotonic()


async def test_the_events_of_all_batches_come_in_order() -> None:
    handle = Handle(Answer([FIRST, REST], None))
    assert untimed(await asked_of(handle)) == untimed([*FIRST, *REST])
    assert handle.given[0].is_cancelled


async def test_a_replica_that_dies_before_its_first_word_is_replaced_by_another() -> None:
    handle = Handle(Answer([], RayActorError()), Answer([FIRST, REST], None))
    assert untimed(await asked_of(handle)) == untimed([*FIRST, *REST])
    assert len(handle.given) == 2


async def test_after_some_deaths_it_is_told_that_nobody_answers() -> None:
    handle = Handle(*(Answer([], RayActorError()) for _ in range(ATTEMPTS)))
    with pytest.raises(Unavailable):
        await asked_of(handle)


async def test_a_replica_that_dies_in_mid_stream_is_told_and_not_asked_again() -> None:
    handle = Handle(Answer([FIRST], RayActorError()), Answer([FIRST, REST], None))
    with pytest.raises(BackendFailed, match="is gone"):
        await asked_of(handle)
    assert len(handle.given) == 1


async def test_a_cluster_that_has_gone_is_told_though_its_calls_cannot_be_cancelled() -> None:
    with pytest.raises(Unavailable, match="No replica"):
        await asked_of(Handle(Answer([], DeploymentUnavailableError())))


async def test_a_failure_is_told_without_its_text() -> None:
    with pytest.raises(BackendFailed) as told:
        await asked_of(Handle(Answer([], RayError("of a secret prompt"))))
    assert "secret" not in told.value.message

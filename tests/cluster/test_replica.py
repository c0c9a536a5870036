"""A replica without Ray: batches, errors as data, and an end when its caller leaves."""

from __future__ import annotations

import asyncio

from workbench.backends.scripted import Script, ScriptedBackend
from workbench.cluster.failure import Failure
from workbench.cluster.replica import Asked, ModelReplica
from workbench.core.backend import ModelCard
from workbench.core.chat import (
    CompletionBuilder,
    Delta,
    Finished,
    GenerationRequest,
    Started,
    StreamEvent,
    TextPrompt,
)
from workbench.core.errors import ContextLengthExceeded
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings


def asked(max_tokens: int = 50) -> Asked:
    request = GenerationRequest("m", TextPrompt("Say it"), GenerationParams(max_tokens=max_tokens))
    return Asked(request, "scope", "request", 1)


def replica(script: Script, settings: Settings, most: int = 1) -> tuple[ModelReplica, ScriptedBackend]:
    made = ModelReplica(ModelCard(id="m", source="x", backend="scripted"), settings, most)
    backend = ScriptedBackend([script])
    made._backend = backend
    return made, backend


async def test_events_come_whole_and_in_order(settings: Settings) -> None:
    made, _ = replica(Script("one two three"), settings)
    events = [event async for batch in made.stream(asked()) for event in batch]
    assert isinstance(events[0], Started)
    assert "replica" in events[0].effective
    builder = CompletionBuilder()
    for event in events:
        assert not isinstance(event, Failure)
        builder.add(event)
    assert builder.completion().choices[0].content == "one two three"


async def test_what_is_there_travels_together(settings: Settings) -> None:
    made, _ = replica(Script("word " * 40), settings)
    stream = made.stream(asked())
    first = await anext(stream)
    await asyncio.sleep(0.05)
    rest = [batch async for batch in stream]
    events: list[StreamEvent | Failure] = [*first, *(event for batch in rest for event in batch)]
    assert len(events) == 43
    assert len(rest) < 10


async def test_an_error_is_the_last_thing_that_comes(settings: Settings) -> None:
    made, _ = replica(Script(), settings)
    events = [event async for batch in made.stream(asked(max_tokens=10**6)) for event in batch]
    (failure,) = events
    assert isinstance(failure, Failure)
    assert failure.kind == ContextLengthExceeded.__name__


async def test_a_bug_is_told_without_its_text(settings: Settings) -> None:
    def fail(request: GenerationRequest) -> Script:
        raise ZeroDivisionError("of a secret prompt")

    made, _ = replica(Script(), settings)
    made._backend = ScriptedBackend(answer=fail)
    events = [event async for batch in made.stream(asked()) for event in batch]
    assert isinstance(events[-1], Failure)
    assert "secret" not in events[-1].message


async def test_a_caller_that_leaves_ends_the_generation(settings: Settings) -> None:
    made, backend = replica(Script("word " * 1000, token_seconds=0.01), settings)
    stream = made.stream(asked(max_tokens=1000))
    batch = await anext(stream)
    assert not any(isinstance(event, Finished | Delta) for event in batch[:1])
    await stream.aclose()
    assert (backend.running, backend.cancelled) == (0, 1)


async def test_places_are_those_of_all_replicas(settings: Settings) -> None:
    made, backend = replica(Script(), settings, most=3)
    assert backend.info.places is not None
    assert (await made.info()).places == 3 * backend.info.places

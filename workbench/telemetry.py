"""What this server counts and times, for Prometheus: numbers only, labelled by catalogue ids and fixed words.

Names and buckets are those of OpenTelemetry's semantic conventions for generative AI where they exist
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/), the others begin with `workbench_`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from guard.base import Direction, Screened, VerdictState
from workbench.admission import GateLoad
from workbench.core.call_times import CallTimes, tpot_seconds
from workbench.core.chat import Delta, Finished, Started, StreamEvent, TrafficClass, Usage
from workbench.core.errors import WorkbenchError

CANCELLED = "499"
"""The status of a call whose caller left."""
SUCCEEDED = "200"
BUG = "500"

_MODEL = "gen_ai_request_model"
_DURATION_BUCKETS = tuple(0.01 * 2**power for power in range(14))
_FIRST_TOKEN_BUCKETS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
_TOKEN_GAP_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_QUEUE_BUCKETS = (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: its HTTP status (499: the caller left), its times, and the tokens that count."""

    status: str
    seconds: float
    ttft_seconds: float | None
    used: Usage


class Watch:
    """The times of one call. Deltas are the model's own, as they were generated, shown or not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.begun_at = clock()
        self.waited_seconds: float | None = None
        self.admitted_at: float | None = None
        self.first_token_at: float | None = None
        self.gaps: list[float] = []
        self.usage: Usage | None = None
        self.has_started = False
        self._prompt_tokens = 0
        self._generated = 0
        self._last_at: dict[int, float] = {}
        self._clock = clock

    def admitted(self, waited_seconds: float) -> None:
        """The gate let the call in."""
        self.waited_seconds = waited_seconds
        self.admitted_at = self._clock()

    def see(self, event: StreamEvent) -> None:
        """Takes the next event of the generation."""
        match event:
            case Started():
                self.has_started, self._prompt_tokens = True, event.prompt_tokens
            case Delta() if event.token_count:
                self._add_tokens(event, event.at or self._clock())
            case Finished():
                self.usage = event.usage

    def _add_tokens(self, delta: Delta, at: float) -> None:
        self._generated += delta.token_count
        if self.first_token_at is None:
            self.first_token_at = at
        previous = self._last_at.get(delta.index)
        if previous is not None:
            self.gaps.append(at - previous)
        # Tokens of one step have no time between them.
        self.gaps.extend([0.0] * (delta.token_count - 1))
        self._last_at[delta.index] = at

    @property
    def choices(self) -> int:
        """How many choices have generated something."""
        return len(self._last_at)

    def counted(self) -> Usage:
        """Tokens used, also when the call was cut short."""
        return self.usage or Usage(self._prompt_tokens, self._generated)

    def times(self) -> CallTimes:
        """The call's parts until this moment."""
        return CallTimes.between(
            self.begun_at,
            self._clock(),
            admitted=self.admitted_at,
            first_token=self.first_token_at,
            output_tokens=self.counted().completion_tokens if self.choices == 1 else 0,
        )

    def ending(self, status: str, now: float) -> Ending:
        """The call as it ended at `now`."""
        first = None if self.first_token_at is None else self.first_token_at - self.begun_at
        return Ending(status, now - self.begun_at, first, self.counted())


def _unheard(_: Ending) -> None:
    """Nobody asked to be told."""


class Telemetry:
    """The counters, histograms and gauges of one service, in a registry of their own.

    `load` says what the gate holds at this moment; `clock` gives monotonic seconds.
    """

    def __init__(self, load: Callable[[], GateLoad], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        registry = self._registry = CollectorRegistry()
        _add_gauges(registry, load)
        self._requests = Counter(
            "workbench_requests",
            "Calls that ended, one for each prompt, by HTTP status (499: the caller left) and traffic class.",
            (_MODEL, "gen_ai_operation_name", "status", "traffic_class"),
            registry=registry,
        )
        self._tokens = Counter(
            "workbench_tokens",
            "Tokens read and generated, those of calls cut short included.",
            (_MODEL, "gen_ai_token_type"),
            registry=registry,
        )
        self._verdicts = Counter(
            "workbench_guard_verdicts",
            "What guards said, shown or not.",
            ("guard", "direction", "verdict"),
            registry=registry,
        )
        self._times = _Times(registry)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything at this moment and its media type, in the format that an Accept header asks for."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    @contextmanager
    def call(
        self,
        model: str,
        operation: str,
        traffic: TrafficClass,
        ended: Callable[[Ending], None] = _unheard,
    ) -> Iterator[Watch]:
        """Counts the call that is made inside, by how it ended, and tells `ended`. `model` is a catalogue id.

        Only calls that were answered whole enter the latencies.
        """
        watch, status = Watch(self._clock), BUG
        try:
            yield watch
            status = SUCCEEDED
        except WorkbenchError as failure:
            status = str(failure.status)
            raise
        except (GeneratorExit, asyncio.CancelledError):
            # A reader may stop at the last event without waiting for the end.
            status = CANCELLED if watch.usage is None else SUCCEEDED
            raise
        finally:
            self._requests.labels(model, operation, status, traffic.value).inc()
            self._count_tokens(model, watch)
            now = self._clock()
            self._times.observe(model, watch, now, is_whole=status == SUCCEEDED)
            ended(watch.ending(status, now))

    def screened(self, event: Screened) -> None:
        """Counts a verdict."""
        verdict = event.verdict
        self._verdicts.labels(verdict.guard, event.direction.value, verdict.state.value).inc()

    def blocked(self, guard: str) -> None:
        """Counts the verdict for which an input was refused: it comes as an error, not as an event."""
        self._verdicts.labels(guard, Direction.INPUT.value, VerdictState.UNSAFE.value).inc()

    def _count_tokens(self, model: str, watch: Watch) -> None:
        if watch.has_started:
            used = watch.counted()
            self._tokens.labels(model, "input").inc(used.prompt_tokens)
            self._tokens.labels(model, "output").inc(used.completion_tokens)


class _Times:
    """The histograms, in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, says, (_MODEL,), buckets=buckets, registry=registry)

        self._first_token = histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "From the call to its first token of any channel, queue and prefill included.",
            _FIRST_TOKEN_BUCKETS,
        )
        self._per_token = histogram(
            "gen_ai_server_time_per_output_token_seconds",
            "(end-to-end - time to first token) / (output tokens - 1), of calls with one choice.",
            _TOKEN_GAP_BUCKETS,
        )
        self._gap = histogram(
            "workbench_inter_token_latency_seconds",
            "Each gap between successive tokens of a choice.",
            _TOKEN_GAP_BUCKETS,
        )
        self._whole = histogram(
            "gen_ai_server_request_duration_seconds", "From the call to its last event.", _DURATION_BUCKETS
        )
        self._queue = histogram(
            "workbench_queue_wait_seconds", "In the gate's queue, of every call let in.", _QUEUE_BUCKETS
        )

    def observe(self, model: str, watch: Watch, now: float, *, is_whole: bool) -> None:
        """Adds a call that ended at `now`."""
        if watch.waited_seconds is not None:
            self._queue.labels(model).observe(watch.waited_seconds)
        if not is_whole:
            return
        self._whole.labels(model).observe(now - watch.begun_at)
        if watch.first_token_at is None:
            return
        self._first_token.labels(model).observe(watch.first_token_at - watch.begun_at)
        gap = self._gap.labels(model)
        for seconds in watch.gaps:
            gap.observe(seconds)
        each = tpot_seconds(watch.first_token_at, now, watch.counted().completion_tokens)
        if watch.choices == 1 and each is not None:
            self._per_token.labels(model).observe(each)


def _add_gauges(registry: CollectorRegistry, load: Callable[[], GateLoad]) -> None:
    """What the gate holds, asked each time it is read."""
    gauges: tuple[tuple[str, str, Callable[[], float]], ...] = (
        ("workbench_requests_running", "Calls let in, streamed and not.", lambda: load().running_calls),
        ("workbench_requests_waiting", "Calls in the queue.", lambda: load().waiting_calls),
        ("workbench_slots_in_use", "Choices that hold a place.", lambda: load().places_in_use),
    )
    for name, says, value in gauges:
        Gauge(name, says, registry=registry).set_function(value)

"""The report's table of both sides' times: what the server measured beside what the client saw of the same requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.speed import Distribution
from evaluators.timing import RequestTiming
from evaluators.two_sides import Joined, TwoSides, two_sides
from workbench.experiments.report.words import milliseconds
from workbench.experiments.results.load import LevelResult
from workbench.experiments.results.outcome import Results

NOT_TOLD = "not told"
COLUMNS = (
    *("Queue, server", "Prompt read, server"),
    *("First token, server", "First token, client", "client − server"),
    *("Per token, server", "Per token, client", "client − server"),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """A time's middle and tail in words."""

    p50: str
    p95: str


@dataclass(frozen=True, slots=True)
class SidesRow:
    """One stretch of load on one candidate by both clocks; `spreads` are of COLUMNS, empty where none were told."""

    name: str
    load: str
    requests: str
    spreads: tuple[Spread, ...]


def sides_rows(results: Results) -> list[SidesRow]:
    """Every level of every candidate."""
    return [_row(load.candidate, level) for load in results.loads for level in load.levels]


def _row(name: str, level: LevelResult) -> SidesRow:
    offered = f"{level.level.offered_rate * 60:.3g} a minute"
    both = two_sides(level.timings)
    if both is None:
        return SidesRow(name, offered, NOT_TOLD, ())
    return SidesRow(
        name, offered, f"{both.requests} requests", tuple(_spread(column) for column in _columns(both))
    )


def _columns(both: TwoSides) -> Sequence[Distribution]:
    return (both.queue, both.prefill, *_three(both.ttft), *_three(both.tpot))


def _three(joined: Joined) -> tuple[Distribution, Distribution, Distribution]:
    return joined.server, joined.client, joined.difference


def _spread(spread: Distribution) -> Spread:
    return Spread(milliseconds(spread.p50), milliseconds(spread.p95))


def sides_json(timings: Sequence[RequestTiming]) -> dict[str, Any] | None:
    """Both sides in milliseconds; None where one of them told no times."""
    both = two_sides(timings)
    return None if both is None else asdict(both)


def sides_lines(found: dict[str, Any] | None) -> list[str]:
    """The same for a terminal, from `sides_json`."""
    if found is None:
        return ["the server tells no times of its own"]
    lines = [
        f"both sides of {found['requests']} requests, from their sending, p50 and p95 in ms",
        f"{'':<32}{'server':>17}{'client':>17}{'client − server':>17}",
    ]
    for name, spread in (("queue", found["queue"]), ("prompt read", found["prefill"])):
        lines.append(f"{name:<32}{_pair(spread)}")
    for name in ("ttft", "tpot", "end_to_end"):
        sides = (found[name][side] for side in ("server", "client", "difference"))
        lines.append(f"{name:<32}{''.join(map(_pair, sides))}")
    return lines


def _pair(spread: dict[str, Any]) -> str:
    if spread["p50"] is None:
        return f"{NOT_TOLD:>17}"
    return f"{spread['p50']:>8.1f}{spread['p95']:>9.1f}"

"""A load test by itself, without an experiment around it."""

from __future__ import annotations

from evaluators.load import (
    MINIMUM_REQUESTS,
    LoadLevel,
    LoadRun,
    OnResult,
    Send,
    climb,
    closed_loop,
    open_loop,
)
from evaluators.speed import Limits
from evaluators.timing import RequestTiming
from workbench.experiments.results.levels import judged_run
from workbench.experiments.spec.load import LoadShape, LoadSpec


async def run_load(
    send: Send, load: LoadSpec, limits: Limits, seed: int, on_result: OnResult | None = None
) -> tuple[LoadLevel, ...]:
    """Puts the load on whatever `send` reaches: one level, or those of a sweep, ascending by rate."""
    sent = number = 0

    async def measure(rate: float) -> LoadLevel:
        nonlocal sent, number
        due = load.due(seed + number, rate)
        first, sent, number = sent, sent + len(due), number + 1

        async def send_next(request_index: int) -> RequestTiming:
            return await send(first + request_index)

        run = await open_loop(send_next, due, duration_s=load.duration_s, on_result=on_result)
        planned = rate if load.shape is LoadShape.SWEEP else len(due) / load.duration_s
        return judged_run(load, run, planned, limits)

    if load.concurrency is not None:
        run: LoadRun = await closed_loop(
            send, load.concurrency, duration_s=load.duration_s, on_result=on_result
        )
        return (judged_run(load, run, None, limits),)
    if load.shape is LoadShape.SWEEP:
        least = MINIMUM_REQUESTS / load.duration_s
        return await climb(measure, load.levels, refinements=load.refinements, least_rate=least)
    return (await measure(load.rate_per_s),)

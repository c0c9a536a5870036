"""Work on many things at once keeps its bound and its order, and fails as the work itself does."""

from __future__ import annotations

import asyncio

import pytest

from workbench.core.errors import Unavailable
from workbench.experiments.run.at_once import at_once


async def test_no_more_are_worked_on_than_were_allowed_and_all_are_done_in_their_order() -> None:
    running, most_seen, done = 0, 0, []

    async def work(thing: int) -> None:
        nonlocal running, most_seen
        running += 1
        most_seen = max(most_seen, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(thing)

    await at_once(range(20), work, 3)
    assert done == list(range(20))
    assert most_seen == 3


async def test_a_failure_is_raised_as_itself_and_stops_the_others() -> None:
    ended: list[int] = []

    async def work(thing: int) -> None:
        if thing == 1:
            raise Unavailable("gone")
        await asyncio.sleep(3600)
        ended.append(thing)

    with pytest.raises(Unavailable, match="gone"):
        await at_once(range(4), work, 2)
    assert ended == []

"""A process killed at any moment loses nothing that it had acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from tests.store import busy_writer
from workbench.core.errors import InvalidApiKey
from workbench.store import Store

ROOT = Path(__file__).parents[2]


def _write_until_killed(address: str, dice: random.Random, lines_at_least: int) -> list[list[str]]:
    """What the process acknowledged before it was killed: while it opens (1 line), or amid its writes."""
    command = [sys.executable, "-m", "tests.store.busy_writer", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(lines_at_least)]
        time.sleep(dice.random() / 10)
        process.kill()
        lines += process.stdout.readlines()
    assert process.returncode == -9
    return [line.split() for line in lines if line.endswith("\n")]


async def _check(address: str, acknowledged: list[list[str]]) -> None:
    async with await Store.open(address) as store:
        for kind, *secret in acknowledged:
            if kind == "kept":
                assert (await store.keys.authenticate(secret[0])).name == "kept"
            elif kind == "revoked":
                with pytest.raises(InvalidApiKey, match="was revoked"):
                    await store.keys.authenticate(secret[0])


async def _requests_counted(address: str) -> int:
    async with await Store.open(address) as store:
        return sum(day.requests for day in await store.usage.by_day(date.min))


async def _survives(address: str, deaths: int) -> None:
    dice = random.Random(deaths)
    acknowledged: list[list[str]] = []
    for death in range(1, deaths + 1):
        lines_at_least = 1 if death == 1 else dice.choice([1, 5, 40, 200])
        latest = _write_until_killed(address, dice, lines_at_least)
        await _check(address, latest)
        acknowledged += latest
    await _check(address, acknowledged)
    counted = sum(words[0] == "counted" for words in acknowledged)
    assert counted <= await _requests_counted(address) <= counted + deaths * busy_writer.WRITERS


async def test_a_few_deaths_lose_nothing_acknowledged(empty_address: str) -> None:
    await _survives(empty_address, 3)


@pytest.mark.slow
async def test_many_deaths_lose_nothing_acknowledged(empty_address: str) -> None:
    await _survives(empty_address, 25)

"""Many calls of one key at once: every one is answered, as the contract says, and another key gets in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.sites import KEY, MODEL, SMALL_KEY, Site, open_site
from workbench.admission import BUSY
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.settings import Settings

FLOOD = 200
PATIENCE_SECONDS = 120.0
CHAT = "/openai/v1/chat/completions"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
PLACES, QUEUE = 4, 32


def _is_whole(answer: httpx.Response, *, is_streamed: bool) -> bool:
    """True for an answer with all its parts."""
    if is_streamed:
        return answer.text.endswith("data: [DONE]\n\n") and "error" not in answer.text
    return bool(answer.json()["choices"][0]["finish_reason"] == "stop")


def _is_busy(answer: httpx.Response) -> bool:
    """True for the contract's "busy"."""
    error = answer.json()["error"]
    return (
        (error["message"], error["type"], error["code"]) == (BUSY, "requests", "rate_limit_exceeded")
        and 1 <= int(answer.headers["retry-after"]) <= 120
        and answer.headers["x-ratelimit-remaining-requests"] == "0"
        and int(answer.headers["x-ratelimit-limit-requests"]) == PLACES
    )


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_flood_of_one_key_is_answered_and_another_key_gets_in(
    tmp_path: Path, is_streamed: bool
) -> None:
    settings = Settings(home=tmp_path, max_concurrency=PLACES, queue_size=QUEUE)
    backend = ScriptedBackend([Script("One two three.", token_seconds=0.01)])
    async with open_site(settings, backend) as site, asyncio.timeout(PATIENCE_SECONDS):
        answered: list[str] = []

        async def ask(key: str) -> httpx.Response:
            headers = {"authorization": f"Bearer {key}"}
            answer = await site.client.post(CHAT, json={**BODY, "stream": is_streamed}, headers=headers)
            if answer.status_code == 200:
                answered.append(key)
            return answer

        flood = [asyncio.create_task(ask(KEY)) for _ in range(FLOOD)]
        await _until_full(site)
        before = len(answered)
        other = await ask(SMALL_KEY)
        assert other.status_code == 200
        assert _is_whole(other, is_streamed=is_streamed)
        # It came last, and has waited for a place, not for the queue: only what ran beside it was answered before it.
        assert answered.index(SMALL_KEY) - before <= 3 * PLACES < QUEUE
        answers = await asyncio.gather(*flood)
        whole = [answer for answer in answers if answer.status_code == 200]
        busy = [answer for answer in answers if answer.status_code == 429]
        assert Counter(answer.status_code for answer in answers) == {200: len(whole), 429: len(busy)}
        assert len(whole) >= PLACES + QUEUE - 1
        assert all(_is_whole(answer, is_streamed=is_streamed) for answer in whole)
        assert all(_is_busy(answer) for answer in busy)
        assert (site.workbench.load().running_calls, backend.running) == (0, 0)


async def _until_full(site: Site) -> None:
    """Returns when the queue has all it takes; polled, so that the gate needs no event for tests."""
    while site.workbench.load().waiting_calls < QUEUE:  # noqa: ASYNC110
        await asyncio.sleep(0.001)

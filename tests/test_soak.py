"""Ten minutes of everything at once through the whole service, over a tiny model."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import random
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from tests.engine.tiny_models import byte_tokenizer, tiny_model
from workbench.backends.catalogue import Catalogue
from workbench.backends.local import LocalBackend, open_backend
from workbench.backends.pool import Pool
from workbench.core.backend import ModelCard
from workbench.core.caller import Caller
from workbench.core.chat import Delta, GenerationRequest, OutputFormat, TextPrompt
from workbench.core.errors import WorkbenchError
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings
from workbench.service import Workbench

MODEL = "tiny"
AT_ONCE = 24
MOST_GROWTH_BYTES = 96 << 20
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def arrival(rng: random.Random) -> GenerationRequest:
    """A request as they come: short and long, plain and scored, some that must be refused."""
    params = GenerationParams(
        max_tokens=rng.randint(0, 60),
        temperature=rng.choice([0.0, 1.0]),
        logit_bias=rng.choice([None, None, {"7": 3.0}, {"1000000": 1.0}]),
        stop=rng.choice([None, ["e"]]),
    )
    words = rng.choice([3, 20, 60, 2000])
    return GenerationRequest(
        rng.choice([MODEL] * 9 + ["unknown"]),
        TextPrompt(" ".join(rng.choices(["ab", "cd", "efg"], k=words))),
        params,
        n=rng.choice([1, 1, 1, 3]),
        logprobs=rng.choice([None, 2]),
        prompt_logprobs=rng.random() < 0.2,
        output_format=OutputFormat(SCHEMA) if rng.random() < 0.1 else None,
    )


async def visit(workbench: Workbench, rng: random.Random, ends: Counter[str]) -> None:
    """One call: read to its end, left in the middle, or refused."""
    leaves_after = rng.choice([None, None, None, 0, 3])
    caller = Caller(f"key {rng.randrange(5)}")
    seen = 0
    try:
        async with aclosing(workbench.stream(arrival(rng), caller)) as events:
            async for event in events:
                seen += isinstance(event, Delta)
                if leaves_after is not None and seen > leaves_after:
                    ends["left"] += 1
                    return
        ends["answered"] += 1
    except WorkbenchError as failure:
        ends[str(failure.status)] += 1


@pytest.mark.slow
async def test_a_long_mixed_load_ends_with_nothing_in_use_and_flat_memory(tmp_path: Path) -> None:
    """Random arrivals, cancels and bad requests for WORKBENCH_SOAK_SECONDS (default 600)."""
    faulthandler.cancel_dump_traceback_later()  # it is meant to take longer than a test that hangs
    seconds = float(os.environ.get("WORKBENCH_SOAK_SECONDS", "600"))
    tiny_model("llama", intermediate_size=128).save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    settings = Settings(home=tmp_path, queue_size=8, queue_timeout=2.0, kv_cache_bytes=4 << 20)
    catalogue = Catalogue({MODEL: ModelCard(id=MODEL, source=str(tmp_path), dtype="float32")})
    pool = Pool(catalogue, lambda card, progress: open_backend(card, settings, progress))
    workbench = Workbench(settings, catalogue, pool)
    rng, ends, sizes = random.Random(7), Counter[str](), []
    await workbench.start()
    try:
        running: set[asyncio.Task[None]] = set()
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as visitors:
            while time.monotonic() < end:
                if len(running) < AT_ONCE:
                    visitor = visitors.create_task(visit(workbench, rng, ends))
                    running.add(visitor)
                    visitor.add_done_callback(running.discard)
                if running and rng.random() < 0.02:
                    rng.choice(list(running)).cancel()
                await asyncio.sleep(rng.expovariate(100))
                sizes.append(psutil.Process().memory_info().rss)
        load = workbench.load()
        assert (load.running_calls, load.waiting_calls, load.places_in_use) == (0, 0, 0)
        async with pool.lease(MODEL) as backend:
            assert isinstance(backend, LocalBackend)
            assert backend.load.running == backend.load.waiting == 0
    finally:
        await workbench.stop(grace_seconds=0)
    assert not {end for end in ends if end.startswith("5")} - {"503"}
    assert min(ends["answered"], ends["left"], ends["400"], ends["404"]) > 0, ends
    assert sizes[-1] < sizes[len(sizes) // 3] + MOST_GROWTH_BYTES

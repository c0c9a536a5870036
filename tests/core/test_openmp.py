"""Threads that OpenMP keeps for a thread that computes no more are ended."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tests.engine.driver import BUDGET
from tests.engine.tiny_models import EOS, byte_tokenizer, tiny_model
from workbench.core.openmp import release_workers
from workbench.engine import loop
from workbench.engine.loop import Engine
from workbench.engine.masks import MaskPlan
from workbench.engine.prefixes import PrefixStore
from workbench.engine.runner import SlotRunner, text_config

COUNT_THREADS = """
import os
import torch
from workbench.core.openmp import release_workers

def threads():
    return len(os.listdir("/proc/self/task"))

def compute():
    return torch.softmax(torch.randn(500, 2000), -1)

torch.set_num_threads(2)
release_workers()
before = threads()
first = compute()
busy = threads()
release_workers()
after = threads()
second = compute()
print(before, busy, after, threads(), float(first.sum() + second.sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is Linux's")
def test_the_workers_of_a_thread_end_and_come_back_when_it_computes_again() -> None:
    told = subprocess.run(
        [sys.executable, "-c", COUNT_THREADS],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    before, busy, after, again = map(int, told[:4])
    assert busy == before + 1
    assert after == before
    assert again == busy
    assert float(told[4]) == pytest.approx(1000, abs=0.01)


def test_an_engine_without_work_keeps_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def watched() -> None:
        release_workers()
        if threading.current_thread().name == "engine":
            released.set()

    monkeypatch.setattr(loop, "release_workers", watched)
    model = tiny_model("llama")
    plan = MaskPlan.of(text_config(model))
    assert plan is not None
    engine = Engine(
        SlotRunner(model, plan, budget_bytes=BUDGET, max_rows=2),
        byte_tokenizer(),
        eos_ids=[EOS],
        prefixes=PrefixStore(budget_bytes=BUDGET, idle_seconds=60),
        post=lambda batch: None,
    )
    engine.start()
    try:
        assert released.wait(30)
    finally:
        engine.close()

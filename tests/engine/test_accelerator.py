"""What an accelerator must do as a CPU does. Each rule runs on the CPU, and on a CUDA device by `make check-gpu`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from tests.engine.driver import Driver
from tests.engine.tiny_models import byte_tokenizer, greedy, tiny_model
from workbench.core.backend import ModelCard
from workbench.core.errors import Overloaded
from workbench.core.settings import Settings
from workbench.engine.loader import LoadedModel, load_model

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
PROMPTS = [[3 + 7 * number, 9, 40 + number, 77][: 1 + number % 4] * (1 + 5 * number) for number in range(6)]
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.parametrize("device", DEVICES)


@pytest.fixture(autouse=True)
def needs_the_device(device: str) -> None:
    """Skips where there is none: `make check-gpu` must say so, not fail."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")


def load(folder: Path, device: str, quantization: str = "none") -> LoadedModel:
    """A tiny model, saved and loaded again the way every model is."""
    # nf4 packs blocks of 64 weights
    tiny_model("llama", intermediate_size=128).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    card = ModelCard(
        id="tiny", source=str(folder), dtype="float32", quantization=quantization, device_map=device
    )
    return load_model(card, Settings(home=folder), lambda stage, fraction: None)


@pytest.mark.parametrize("kind", ["llama", "gemma3_text"])
def test_greedy_tokens_in_a_mixed_batch_are_those_of_generate(device: str, kind: str) -> None:
    model: PreTrainedModel = tiny_model(kind).to(device)
    driver = Driver(model)
    running = [driver.submit(prompt, max_tokens=24) for prompt in PROMPTS]
    driver.run(*running)
    for prompt, got in zip(PROMPTS, running, strict=True):
        assert got.ids() == greedy(model, prompt, 24)


def test_a_loaded_model_lives_on_its_device_and_is_batched(device: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, device)
    assert loaded.runner.device.type == device
    assert loaded.is_batched
    assert loaded.memory_bytes > 0
    assert loaded.runner.max_rows == loaded.places + 1, "a row for a caller who holds none"


@pytest.mark.parametrize("quantization", ["int8", "nf4"])
def test_a_quantized_model_answers_alike_alone_and_in_a_batch(
    device: str, quantization: str, tmp_path: Path
) -> None:
    runner = load(tmp_path, device, quantization).runner
    driver = Driver(tiny_model("llama"), runner)
    alone = []
    for prompt in PROMPTS:
        got = driver.submit(prompt, max_tokens=8, ignore_eos=True)
        driver.run(got)
        alone.append(got.scores())
    together = [driver.submit(prompt, max_tokens=8, ignore_eos=True) for prompt in PROMPTS]
    driver.run(*together)
    for mine, theirs in zip(alone, together, strict=True):
        first, second = mine[0], theirs.scores()[0]
        assert second.logprob == pytest.approx(first.logprob, abs=0.05)
        assert theirs.counted() == 8


def test_a_cancelled_request_frees_its_row_within_one_step(device: str) -> None:
    driver = Driver(tiny_model("llama").to(device))
    leaving, staying = (driver.submit(prompt, max_tokens=200, ignore_eos=True) for prompt in PROMPTS[:2])
    for _ in range(6):
        driver.engine.step()
    assert driver.engine.load.running == 2
    assert leaving.job is not None
    driver.engine.cancel(leaving.job)
    driver.engine.step()
    assert driver.engine.load.running == 1
    assert not staying.is_over


def wait_for(is_so: Callable[[], bool]) -> None:
    """Returns once it is so; fails when it is not within a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def test_the_device_running_full_fails_one_request_at_most_and_the_next_is_answered(device: str) -> None:
    if device != "cuda":
        pytest.skip("a host that runs full ends processes; the rule is tested there with an invented failure")
    driver = Driver(tiny_model("llama").to(device))
    driver.engine.start()
    try:
        free, _ = torch.cuda.mem_get_info()
        torch.cuda.empty_cache()
        ballast = torch.empty(max(0, free - (8 << 20)), dtype=torch.uint8, device=device)
        crowded = [driver.submit(prompt * 10, max_tokens=64, ignore_eos=True) for prompt in PROMPTS]
        driver.engine._wake.set()
        wait_for(lambda: all(got.is_over for got in crowded))
        assert all(got.error is None or isinstance(got.error, Overloaded) for got in crowded)
        del ballast
        torch.cuda.empty_cache()
        after = driver.submit(PROMPTS[0])
        driver.engine._wake.set()
        wait_for(lambda: after.is_over)
        assert after.error is None
        assert driver.engine.load.running == 0
    finally:
        driver.engine.close()

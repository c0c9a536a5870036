"""The cache's storage: room taken ahead costs nothing until used, contents survive growth, the budget holds."""

from __future__ import annotations

import psutil
import pytest
import torch

from workbench.core.errors import Overloaded
from workbench.engine.slots import LENGTH_BUCKET, ROOMY_LENGTH, Aim, SlotCache

HEADS, WIDTH, LAYERS = 2, 32, 2
BYTES_PER_TOKEN = 2 * LAYERS * HEADS * WIDTH * 4
MIB = 2**20


def cache(*, is_roomy: bool, max_slots: int = 4, budget_bytes: int = 64 * MIB) -> SlotCache:
    return SlotCache(
        LAYERS,
        budget_bytes=budget_bytes,
        bytes_per_token=BYTES_PER_TOKEN,
        max_slots=max_slots,
        is_roomy=is_roomy,
    )


def write(slots: SlotCache, row: int, states: torch.Tensor) -> None:
    """Puts [1, heads, tokens, width] at the beginning of a row of every layer."""
    count = states.shape[2]
    slots.reserve(row + 1, count)
    aim = Aim(row, 1, torch.arange(count).unsqueeze(0), count, 0)
    for layer in slots.layers:
        layer.put(states, states + 1, aim)


@pytest.mark.parametrize("is_roomy", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_contents_survive_growth_and_the_rest_is_zero(is_roomy: bool, dtype: torch.dtype) -> None:
    slots = cache(is_roomy=is_roomy)
    states = torch.randn(1, HEADS, 10, WIDTH).to(dtype)
    write(slots, 0, states)
    slots.reserve(3, ROOMY_LENGTH + 1)
    layer = slots.layers[0]
    assert layer.keys.dtype == dtype
    assert layer.keys.shape[2] > ROOMY_LENGTH
    assert torch.equal(layer.keys[0, :, :10], states[0])
    assert torch.equal(layer.values[0, :, :10], states[0] + 1)
    assert not layer.keys[0, :, 10:].any()
    assert not layer.keys[1:].any()


def test_a_roomy_cache_grows_once_for_short_rows_and_another_as_it_must() -> None:
    roomy, tight = cache(is_roomy=True), cache(is_roomy=False)
    for slots in (roomy, tight):
        write(slots, 0, torch.ones(1, HEADS, 10, WIDTH))
        slots.reserve(2, LENGTH_BUCKET)
    assert (tight.slots, tight.length) == (2, LENGTH_BUCKET)
    assert (roomy.slots, roomy.length) == (4, ROOMY_LENGTH)


def test_what_does_not_fit_the_budget_is_not_taken_ahead() -> None:
    budget = 4 * LENGTH_BUCKET * BYTES_PER_TOKEN
    slots = cache(is_roomy=True, budget_bytes=budget)
    write(slots, 0, torch.ones(1, HEADS, 10, WIDTH))
    slots.reserve(2, 2 * LENGTH_BUCKET)
    assert slots.nbytes <= budget
    with pytest.raises(Overloaded, match="cache is full"):
        slots.reserve(3, 2 * LENGTH_BUCKET)


def test_room_in_main_memory_takes_none_until_it_is_used() -> None:
    slots = cache(is_roomy=True, max_slots=16, budget_bytes=2048 * MIB)
    write(slots, 0, torch.ones(1, HEADS, 10, WIDTH))
    process = psutil.Process()
    before = process.memory_info().rss
    slots.reserve(16, 512 * MIB // (16 * BYTES_PER_TOKEN))
    assert slots.nbytes >= 512 * MIB
    slots.reserve(16, 1024 * MIB // (16 * BYTES_PER_TOKEN))
    assert slots.nbytes >= 1024 * MIB
    assert process.memory_info().rss - before < 64 * MIB

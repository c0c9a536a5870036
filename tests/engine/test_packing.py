"""Prompts in one row: what they share is there once, and each sees its own beginning only."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.packing import pack

CPU = torch.device("cpu")
prompts = st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=8), min_size=1, max_size=5)


@given(prompts, st.data())
def test_every_prompt_can_be_read_off_what_its_last_token_sees(
    prompts: list[list[int]], data: st.DataObject
) -> None:
    starts = [data.draw(st.integers(0, len(prompt) - 2)) for prompt in prompts]
    packed = pack(prompts, starts, ["one"] * len(prompts), CPU)
    asked = iter(packed.kept[packed.order].tolist())
    for prompt, start in zip(prompts, starts, strict=True):
        for place in range(start, len(prompt) - 1):
            node = next(asked)
            seen = packed.sees[node].nonzero().flatten()
            inside = seen[packed.positions[seen].argsort()]
            assert packed.ids[inside].tolist() == prompt[: place + 1]
            assert packed.positions[inside].tolist() == list(range(place + 1))
    assert next(asked, None) is None


def test_what_is_shared_is_read_once_and_its_logits_are_asked_for_once() -> None:
    packed = pack([[5, 6, 7, 8], [5, 6, 9]], [1, 1], ["one", "one"], CPU)
    assert packed.ids.tolist() == [5, 6, 7, 8, 9]
    assert packed.kept.tolist() == [1, 2]
    assert packed.order.tolist() == [0, 1, 0]


def test_prompts_of_different_scopes_share_nothing() -> None:
    packed = pack([[5, 6, 7], [5, 6, 7]], [0, 0], ["one", "two"], CPU)
    assert packed.ids.tolist() == [5, 6, 7, 5, 6, 7]
    assert not packed.sees[3:, :3].any()

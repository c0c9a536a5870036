"""Every processor against a plain reference, and the sampled distribution against the exact one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.core.effective import EffectiveParams
from workbench.engine.sampler import RowSampling, choose, process, report_logprobs, truncate

SIZE = 12


def params(**kwargs: Any) -> EffectiveParams:
    return EffectiveParams(**{"temperature": 1.0, "max_tokens": 8, "seed": 1, **kwargs})


def row(prompt: list[int] | None = None, output: list[int] | None = None, **kwargs: Any) -> RowSampling:
    made = RowSampling(params(**kwargs), 0, (SIZE - 1,))
    made.begin(prompt or [], output or [], SIZE, torch.device("cpu"))
    made.step = len(output or [])
    return made


# Multiples of 1/8 so that ties occur, as they do with half-precision logits.
logit = st.integers(-40, 40).map(lambda value: value / 8)
logits_row = st.lists(logit, min_size=SIZE, max_size=SIZE)
tokens = st.lists(st.integers(0, SIZE - 1), max_size=6)
knobs = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.3, 0.7, 1.0, 1.9]),
        "top_k": st.integers(0, SIZE + 2),
        "top_p": st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
        "min_p": st.sampled_from([0.0, 0.05, 0.5, 1.0]),
        "presence_penalty": st.sampled_from([-2.0, 0.0, 0.5]),
        "frequency_penalty": st.sampled_from([-1.0, 0.0, 0.7]),
        "repetition_penalty": st.sampled_from([0.5, 1.0, 1.3]),
        "min_tokens": st.integers(0, 3),
        "logit_bias": st.dictionaries(
            st.integers(0, SIZE - 1), st.sampled_from([-100.0, -1.0, 2.5]), max_size=3
        ),
    }
)


def reference_process(
    raw: list[float], prompt: list[int], output: list[int], p: EffectiveParams
) -> list[float]:
    """OpenAI's and CTRL's formulas, one token at a time."""
    made = list(raw)
    if len(output) < p.min_tokens:
        made[SIZE - 1] = -math.inf
    for token, bias in p.logit_bias.items():
        made[token] += bias
    if p.repetition_penalty != 1.0:
        for token in {*prompt, *output}:
            made[token] = (
                made[token] / p.repetition_penalty if made[token] > 0 else made[token] * p.repetition_penalty
            )
    for token in set(output):
        made[token] -= output.count(token) * p.frequency_penalty + p.presence_penalty
    return made


def reference_kept(processed: list[float], p: EffectiveParams) -> set[int]:
    """The tokens that top_k, then top_p, then min_p leave; equal logits stand or fall together."""
    scaled = [value / p.temperature for value in processed]
    ranked = sorted(range(SIZE), key=lambda token: -scaled[token])
    floor = scaled[ranked[p.top_k - 1]] if 0 < p.top_k < SIZE else -math.inf
    kept = [token for token in ranked if scaled[token] >= floor]
    if p.top_p < 1.0:
        highest = scaled[kept[0]]
        weights = [math.exp(scaled[token] - highest) for token in kept]
        total, before, last = sum(weights), 0.0, kept[0]
        for token, weight in zip(kept, weights, strict=True):
            if token != kept[0] and before / total >= p.top_p - 1e-12:
                break
            last, before = token, before + weight
        kept = [token for token in kept if scaled[token] >= scaled[last]]
    if p.min_p > 0:
        kept = [token for token in kept if scaled[token] >= scaled[kept[0]] + math.log(p.min_p) - 1e-6]
    return set(kept)


@settings(max_examples=300, deadline=None)
@given(raw=logits_row, prompt=tokens, output=tokens, knob=knobs)
def test_processors_follow_their_formulas(
    raw: list[float], prompt: list[int], output: list[int], knob: dict[str, Any]
) -> None:
    made = row(prompt, output, **knob)
    got = process(torch.tensor([raw]), [made])[0].tolist()
    assert got == pytest.approx(reference_process(raw, prompt, output, made.params), abs=1e-4)


@settings(max_examples=300, deadline=None)
@given(raw=logits_row, knob=knobs)
def test_truncation_keeps_what_the_definitions_keep(raw: list[float], knob: dict[str, Any]) -> None:
    made = row(**{**knob, "logit_bias": {}, "min_tokens": 0})
    scaled = torch.tensor([raw]) / made.params.temperature
    got = {token for token, value in enumerate(truncate(scaled, [made])[0].tolist()) if value > -math.inf}
    expected = reference_kept(raw, made.params)
    # A nucleus whose border falls on a rounding error may differ by tokens of equal logit there.
    assert got == expected or (
        0.0 < made.params.top_p < 1.0 and _is_border_case(raw, made.params, got ^ expected)
    )


def _is_border_case(raw: list[float], p: EffectiveParams, differing: set[int]) -> bool:
    weights = np.exp(np.array(raw) / p.temperature - max(raw) / p.temperature)
    order = np.argsort(-weights, kind="stable")
    cumulative = np.cumsum(weights[order]) / weights.sum()
    return bool(np.abs(cumulative - p.top_p).min() < 1e-6) and len({raw[token] for token in differing}) == 1


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(logits_row, knobs, tokens), min_size=2, max_size=5))
def test_a_row_does_not_depend_on_its_neighbours(
    rows: list[tuple[list[float], dict[str, Any], list[int]]],
) -> None:
    made = [row([], output, **knob) for _, knob, output in rows]
    raw = torch.tensor([values for values, _, _ in rows])
    together = choose(process(raw, made), made).tolist()
    alone = [
        choose(process(raw[i : i + 1], made[i : i + 1]), made[i : i + 1]).item() for i in range(len(rows))
    ]
    assert together == alone


@pytest.mark.parametrize(
    "knob",
    [
        {},
        {"temperature": 0.5},
        {"top_k": 4},
        {"top_p": 0.7},
        {"min_p": 0.2},
        {"temperature": 1.7, "top_k": 6, "top_p": 0.9},
    ],
)
def test_the_sampled_distribution_is_the_exact_one(knob: dict[str, Any]) -> None:
    raw = [1.5, 0.2, -0.4, 2.1, 0.9, -1.3, 0.0, 1.1, -0.2, 0.6, -2.0, 0.3]
    draws = 20_000
    made = row(**knob)
    kept = reference_kept(raw, made.params)
    weights = np.array(
        [math.exp(value / made.params.temperature) if i in kept else 0 for i, value in enumerate(raw)]
    )
    samplings = []
    for step in range(draws):
        one = row(**knob)
        one.step = step
        samplings.append(one)
    chosen = choose(torch.tensor([raw]).expand(draws, -1), samplings)
    counts = np.bincount(chosen.numpy(), minlength=SIZE)
    assert counts[weights == 0].sum() == 0
    expected = weights[weights > 0] / weights.sum() * draws
    assert stats.chisquare(counts[weights > 0], expected).pvalue > 1e-3


def test_temperature_zero_takes_the_likeliest_token() -> None:
    raw = torch.tensor([[0.0, 3.0, 1.0] + [0.0] * (SIZE - 3)])
    assert choose(raw, [row(temperature=0.0)]).tolist() == [1]


def test_a_flat_distribution_is_truncated_beyond_the_first_candidates() -> None:
    size = 5000
    raw = torch.zeros(1, size)
    raw[0, :] = -torch.arange(size) * 1e-4
    made = RowSampling(params(top_p=0.9), 0, ())
    kept = int((truncate(raw, [made]) > -math.inf).sum())
    weights = torch.softmax(raw[0].double(), 0)
    exact = int((weights.cumsum(0) - weights < 0.9).sum())
    assert abs(kept - exact) <= 1


def test_logprobs_are_of_the_raw_logits() -> None:
    raw = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    first, second = report_logprobs(raw, [0, 1], [2, None])
    assert second is None
    assert first is not None
    expected = torch.log_softmax(raw[0], -1)
    assert first.chosen == pytest.approx(expected[0].item())
    assert first.top_ids == (2, 1)
    assert first.top_logprobs == pytest.approx((expected[2].item(), expected[1].item()))

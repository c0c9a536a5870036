"""The list of what fits: its counts are those of the architectures, its sizes and bounds those of the formulas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tests.engine.tiny_models import tiny_model
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings
from workbench.fitting import ListedModel, Machine, cache_room, memory_bandwidth, model_list, offers

MODELS = model_list().models
MACHINE = Machine(room_bytes=10**9, native_bytes=4, bandwidth=10**10, bandwidth_source="a test")


def counted(model: ListedModel, layers: int) -> tuple[int, int]:
    """Parameters of the model with so many layers, and of its embeddings and output layer; nothing is allocated."""
    vocabulary, width, _, inner, heads, kv_heads, head_size = model.shape
    is_tied = model.kept_parameters == vocabulary * width
    config = CONFIG_MAPPING[model.architecture](
        vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, intermediate_size=inner,
        num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_size, tie_word_embeddings=is_tied,
        pad_token_id=0,
    )  # fmt: skip
    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(config)
    kept = {*made.get_input_embeddings().parameters(), *made.get_output_embeddings().parameters()}
    return made.num_parameters(), sum(weight.numel() for weight in kept)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_parameters_follow_from_the_shape(model: ListedModel) -> None:
    one, kept = counted(model, 1)
    two, _ = counted(model, 2)
    assert one + (model.shape[2] - 1) * (two - one) == model.parameters
    assert kept == model.kept_parameters


def test_the_list_is_in_order_and_names_every_model_once() -> None:
    sizes = [model.parameters for model in MODELS]
    assert sizes == sorted(sizes)
    assert len({model.id for model in MODELS}) == len(MODELS)


def test_quantization_leaves_embeddings_in_16_bits() -> None:
    model = replace(MODELS[0], parameters=1_000, kept_parameters=200)
    sizes = {name: model.weight_bytes(name, 4) for name in ("none", "int8", "nf4")}
    assert sizes == {"none": 4_000, "int8": 800 + 400, "nf4": 450 + 400}


def test_what_fits_needs_a_fifth_more_than_its_weights_and_cannot_outrun_memory() -> None:
    model = replace(MODELS[0], parameters=400_000_000, kept_parameters=0)
    native, int8, nf4 = offers(MACHINE, [model])
    assert [offer.fits for offer in (native, int8, nf4)] == [False, True, True]
    assert int8.tokens_per_second == pytest.approx(1e10 / 400e6)
    (unknown, *_) = offers(replace(MACHINE, bandwidth=None), [model])
    assert unknown.tokens_per_second is None


def test_memory_speed_has_a_source() -> None:
    bandwidth, source = memory_bandwidth()
    assert source
    assert bandwidth is None or bandwidth > 1e8


def test_a_cache_is_counted_in_tokens_and_whole_answers(tmp_path: Path, settings: Settings) -> None:
    tiny_model("llama").save_pretrained(tmp_path / "mine")
    card = ModelCard(id="mine", source=str(tmp_path / "mine"), dtype="float32", max_concurrency=3)
    each = 2 * 4 * 2 * 16 * 4  # keys and values, layers, KV heads, head size, bytes
    bounded = settings.model_copy(update={"kv_cache_bytes": 600 * each})
    room = cache_room(card, bounded, 10**9)
    assert room is not None
    assert (room.tokens, room.answers, room.context) == (600, 1, 512)
    free = cache_room(card, settings, 10**9)
    assert free is not None
    assert free.answers == 3


def test_a_cache_of_a_model_that_is_elsewhere_is_unknown(settings: Settings) -> None:
    assert cache_room(ModelCard(id="m", source="no/such-model"), settings, 10**9) is None

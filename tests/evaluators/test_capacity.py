from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import JsonValue

from evaluators.capacity import GIB, Fit, Load, ModelShape, decode_upper_bound, forecast, model_shape
from evaluators.hardware import Gpu, load_hardware

GPUS = load_hardware().gpus
LLAMA_8B: dict[str, JsonValue] = {
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "hidden_size": 4096,
}
LLAMA_70B = LLAMA_8B | {"num_hidden_layers": 80, "num_attention_heads": 64, "hidden_size": 8192}
SMOLLM2_135M: dict[str, JsonValue] = {
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "hidden_size": 576,
}
CHAT = Load(concurrency=10, prompt_tokens=1000, output_tokens=200, requests_per_minute=50)


@pytest.mark.parametrize(
    ("config", "kv_bytes"), [(LLAMA_8B, 128 * 1024), (LLAMA_70B, 320 * 1024), (SMOLLM2_135M, 23_040)]
)
def test_kv_of_known_models(config: dict[str, JsonValue], kv_bytes: int) -> None:
    assert model_shape(config, 1, bytes_per_weight=2).kv_bytes_per_token == kv_bytes


def test_one_stream_of_an_8b_model_on_an_h100_is_bound_by_its_weights() -> None:
    """16 GB of weights read at 3.35 TB/s: about 208 tokens a second, the number the field knows."""
    shape = model_shape(LLAMA_8B, 8_030_000_000, bytes_per_weight=2)
    single = Load(1, prompt_tokens=0, output_tokens=1, requests_per_minute=1)
    assert decode_upper_bound(GPUS["NVIDIA H100 SXM"], 1, shape, single, 1) == pytest.approx(208, rel=0.01)


def test_batching_raises_the_bound_until_kv_is_what_is_read() -> None:
    shape = model_shape(LLAMA_8B, 8_030_000_000, bytes_per_weight=2)
    bounds = [
        decode_upper_bound(GPUS["NVIDIA H100 SXM"], 1, shape, CHAT, n) for n in (1, 8, 64, 512, 100_000)
    ]
    assert bounds == sorted(bounds)
    kv_only = 3350e9 / (1100 * 128 * 1024)
    assert bounds[-1] == pytest.approx(kv_only, rel=0.01)


@pytest.mark.parametrize(
    ("gpu", "config", "parameters", "gpus"),
    [
        ("NVIDIA T4", SMOLLM2_135M, 135_000_000, 1),
        ("NVIDIA L4", LLAMA_8B, 8_030_000_000, 1),
        ("NVIDIA T4", LLAMA_8B, 8_030_000_000, 2),
        ("NVIDIA H100 SXM", LLAMA_70B, 70_600_000_000, 2),
        ("NVIDIA A100 SXM 40GB", LLAMA_70B, 70_600_000_000, 4),
        ("NVIDIA H200", LLAMA_70B, 70_600_000_000, 2),
        ("NVIDIA B200", LLAMA_70B, 70_600_000_000, 1),
    ],
)
def test_the_fewest_gpus_that_hold_a_model(
    gpu: str, config: dict[str, JsonValue], parameters: int, gpus: int
) -> None:
    made = forecast(gpu, GPUS[gpu], model_shape(config, parameters, bytes_per_weight=2), CHAT)
    assert (made.fit, made.gpus_per_replica) == (Fit.FITS, gpus)


def test_quantized_weights_leave_room_for_more_requests() -> None:
    full, quantized = (
        forecast("L4", GPUS["NVIDIA L4"], model_shape(LLAMA_8B, 8_030_000_000, bytes_per_weight=b), CHAT)
        for b in (2, 0.56)
    )
    assert (quantized.most_sequences or 0) > (full.most_sequences or 0)
    assert (quantized.decode_upper_bound or 0) > (full.decode_upper_bound or 0)


def test_what_fits_nowhere_says_so_and_nothing_else() -> None:
    huge = ModelShape(weight_bytes=2000e9, kv_bytes_per_token=1e5)
    made = forecast("T4", GPUS["NVIDIA T4"], huge, CHAT)
    assert made.fit is Fit.DOES_NOT_FIT
    assert made.replicas_at_least is None
    assert made.decode_upper_bound is None


def test_an_attention_that_keeps_something_else_is_unknown_not_a_fit() -> None:
    odd: list[dict[str, JsonValue]] = [
        {"sliding_window": 512},
        {"kv_lora_rank": 512},
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"num_hidden_layers": None},
    ]
    for change in odd:
        shape = model_shape(LLAMA_8B | change, 8_030_000_000, bytes_per_weight=2)
        made = forecast("L4", GPUS["NVIDIA L4"], shape, CHAT)
        assert made.fit is Fit.UNKNOWN
        assert made.most_sequences is None
        assert made.decode_upper_bound is not None


@pytest.mark.parametrize(
    "change",
    [
        {"sliding_window": 4096, "use_sliding_window": False},
        {"sliding_window": None},
        {"sliding_window": 4096, "layer_types": ["full_attention"] * 32},
    ],
)
def test_a_window_that_is_off_changes_nothing(change: dict[str, JsonValue]) -> None:
    assert model_shape(LLAMA_8B | change, 1, bytes_per_weight=2).kv_bytes_per_token == 128 * 1024


def test_replicas_carry_speed_and_memory() -> None:
    gpu = Gpu(memory_gib=10, bandwidth_gb_s=100, price_per_hour=2.0)
    shape = ModelShape(weight_bytes=8 * GIB, kv_bytes_per_token=GIB / 1200)
    by_speed = forecast("g", gpu, shape, CHAT)
    assert (by_speed.most_sequences, by_speed.replicas_at_least) == (1, 16)
    assert by_speed.decode_upper_bound == pytest.approx(100e9 / ((8 + 1100 / 1200) * GIB))
    assert by_speed.cost_per_hour_at_least == 32.0
    slow = forecast("g", gpu, shape, replace(CHAT, concurrency=3, requests_per_minute=0.001))
    assert slow.replicas_at_least == 3


def test_an_unknown_price_is_no_free_machine() -> None:
    gpu = GPUS["NVIDIA RTX 5090"]
    assert gpu.price_per_hour is None
    made = forecast("x", gpu, model_shape(SMOLLM2_135M, 135_000_000, bytes_per_weight=4), CHAT)
    assert made.fit is Fit.FITS
    assert made.cost_per_hour_at_least is None


def test_a_mixture_of_experts_is_bound_by_what_one_token_reads() -> None:
    dense = ModelShape(weight_bytes=60e9, kv_bytes_per_token=1e5)
    sparse = replace(dense, active_weight_bytes=6e9)
    gpu = GPUS["NVIDIA H100 SXM"]
    bound = decode_upper_bound(gpu, 1, sparse, CHAT, 1)
    assert bound > 5 * decode_upper_bound(gpu, 1, dense, CHAT, 1)


@pytest.mark.parametrize("load", [(0, 10, 10, 1.0), (1, -1, 10, 1.0), (1, 10, 0, 1.0), (1, 10, 10, 0.0)])
def test_a_load_asks_for_something(load: tuple[int, int, int, float]) -> None:
    with pytest.raises(ValueError, match="load"):
        Load(*load)

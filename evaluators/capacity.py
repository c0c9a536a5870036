"""What a GPU could do at best: whether a model fits, how fast it could decode, how many replicas that takes.

Forecasts from memory size and bandwidth alone (the roofline, Williams, Waterman and Patterson 2009). They can rule
hardware out; they never prove that it will do: only a measurement passes a requirement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from evaluators.hardware import Gpu

GIB = 2**30
USABLE_MEMORY = 0.9
"""The rest goes to the runtime, activations and fragmentation; serving engines keep as much back by default."""
GPUS_PER_REPLICA = (1, 2, 4, 8)
_SECONDS_PER_MINUTE = 60


class Fit(StrEnum):
    """Whether the weights and the asked load's KV cache go into memory."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What memory and bandwidth a model takes.

    `kv_bytes_per_token` is None where the attention keeps something else than every layer's keys and values (a
    sliding window, a latent); then only the weights are reckoned with, and whether a load fits is unknown.
    """

    weight_bytes: float
    kv_bytes_per_token: float | None
    active_weight_bytes: float | None = None
    """What one token reads, for a mixture of experts; None reads all weights."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: requests at the same time, their tokens, and how many a minute."""

    concurrency: int
    prompt_tokens: int
    output_tokens: int
    requests_per_minute: float

    def __post_init__(self) -> None:
        """Refuses a load that asks for nothing."""
        if (
            min(self.concurrency, self.output_tokens) < 1
            or self.prompt_tokens < 0
            or self.requests_per_minute <= 0
        ):
            raise ValueError(
                "a load needs at least one request at a time, one output token and a rate above 0"
            )

    @property
    def output_tokens_per_second(self) -> float:
        """What all requests together need."""
        return self.requests_per_minute * self.output_tokens / _SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Forecast:
    """One kind of GPU under the asked load; every number is a bound, none a promise."""

    gpu: str
    fit: Fit
    gpus_per_replica: int | None
    """The fewest GPUs whose memory holds weights and KV of at least one request; None where none do."""
    most_sequences: int | None
    """Requests whose KV fits beside the weights in one replica."""
    decode_upper_bound: float | None
    """Output tokens a second that one replica cannot exceed; None when unknown."""
    replicas_at_least: int | None
    """Fewer cannot carry the load; more may be needed."""
    cost_per_hour_at_least: float | None
    """Of that many replicas; None where the price is unknown."""


def model_shape(
    config: Mapping[str, JsonValue], parameters: int, *, bytes_per_weight: float, kv_bytes: float = 2.0
) -> ModelShape:
    """The shape from a transformers config.json, the number of parameters and the storage of weights and KV.

    `bytes_per_weight`: 4 for fp32, 2 for bf16, 1 for int8, about 0.56 for nf4 (4 bits and a scale for 64).

    Raises: ValueError when there are no parameters or no bytes.
    """
    if parameters < 1 or bytes_per_weight <= 0 or kv_bytes <= 0:
        raise ValueError("a model has parameters, and they take bytes")
    return ModelShape(parameters * bytes_per_weight, _kv_bytes_per_token(config, kv_bytes))


def _kv_bytes_per_token(config: Mapping[str, JsonValue], kv_bytes: float) -> float | None:
    """Keys and values of every layer: 2 x layers x KV heads x head size x bytes."""

    def count(name: str) -> int | None:
        value = config.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    if not _is_full_attention(config):
        return None
    layers, heads, hidden = (
        count(name) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )
    kv_heads = count("num_key_value_heads") or heads
    head_size = count("head_dim") or (hidden // heads if hidden is not None and heads is not None else None)
    if layers is None or kv_heads is None or head_size is None:
        return None
    return 2.0 * layers * kv_heads * head_size * kv_bytes


def _is_full_attention(config: Mapping[str, JsonValue]) -> bool:
    """Whether every layer keeps the keys and values of the whole context."""
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        return all(kind == "full_attention" for kind in kinds) and config.get("kv_lora_rank") is None
    has_window = config.get("sliding_window") is not None and config.get("use_sliding_window") is not False
    return not has_window and config.get("kv_lora_rank") is None


def forecast(name: str, gpu: Gpu, shape: ModelShape, load: Load) -> Forecast:
    """What this kind of GPU could do at best under the load."""
    per_request = _kv_per_request(shape, load)
    gpus = next((n for n in GPUS_PER_REPLICA if _free_memory(gpu, n, shape) >= (per_request or 0.0)), None)
    if gpus is None:
        return Forecast(name, Fit.DOES_NOT_FIT, None, None, None, None, None)
    sequences = None if per_request is None else int(_free_memory(gpu, gpus, shape) // per_request)
    running = load.concurrency if sequences is None else min(load.concurrency, sequences)
    bound = decode_upper_bound(gpu, gpus, shape, load, running)
    by_speed = math.ceil(load.output_tokens_per_second / bound)
    by_memory = 1 if sequences is None else math.ceil(load.concurrency / sequences)
    replicas = max(by_speed, by_memory)
    cost = None if gpu.price_per_hour is None else gpu.price_per_hour * gpus * replicas
    return Forecast(
        name, Fit.UNKNOWN if sequences is None else Fit.FITS, gpus, sequences, bound, replicas, cost
    )


def decode_upper_bound(gpu: Gpu, gpus: int, shape: ModelShape, load: Load, running: int) -> float:
    """Output tokens a second no engine can exceed on one replica with `running` requests at a time.

    Each step reads the weights once and every running request's KV, half of its output grown; it cannot take less
    than those bytes divided by the bandwidth, and it gives one token a request. Speculative decoding, which gives
    more than one, is not reckoned with.
    """
    weights = shape.weight_bytes if shape.active_weight_bytes is None else shape.active_weight_bytes
    context = load.prompt_tokens + load.output_tokens / 2
    read = weights + running * context * (shape.kv_bytes_per_token or 0.0)
    return running * gpus * gpu.bandwidth_gb_s * 1e9 / read


def _kv_per_request(shape: ModelShape, load: Load) -> float | None:
    if shape.kv_bytes_per_token is None:
        return None
    return shape.kv_bytes_per_token * (load.prompt_tokens + load.output_tokens)


def _free_memory(gpu: Gpu, gpus: int, shape: ModelShape) -> float:
    """Bytes left beside the weights; negative when they do not fit."""
    return gpus * gpu.memory_gib * GIB * USABLE_MEMORY - shape.weight_bytes

"""What this machine could run: a short list of models against its memory and the speed of that memory.

The speed is the roofline's bound for one answer at a time (Williams, Waterman and Patterson 2009): each token reads
every weight once, so no engine gives more tokens a second than memory bandwidth / bytes of weights. Speculative
decoding, which gives more than one token a read, is not reckoned with.
"""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from evaluators.capacity import model_shape
from evaluators.hardware import load_hardware
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings
from workbench.engine.footprint import (
    WORKING_SHARE,
    loaded_bytes,
    local_folder,
    parameter_count,
    stored_dtype,
)
from workbench.engine.memory import KV_SHARE

NATIVE = "none"
"""Not quantized: the precision this machine computes in."""
_HALF_BYTES = 2
_BYTES = {"int8": 1.0, "nf4": 0.5 + 4 / 64}
"""A quantized parameter's bytes; nf4 keeps a float32 scale for each block of 64."""
_PROBE_BYTES = 128 * 2**20
_PROBE_RUNS = 5


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of the list. `kept_parameters`, embeddings and output layer, are not quantized.

    `shape`: vocabulary, width, layers, feed-forward, heads, KV heads, head size, as its config.json says.
    """

    id: str
    architecture: str
    parameters: int
    kept_parameters: int
    shape: Sequence[int]
    context: int
    licence: str
    is_gated: bool = False

    def weight_bytes(self, quantization: str, native_bytes: int) -> int:
        """Bytes of the weights; `native_bytes` is what an unquantized parameter takes."""
        if quantization == NATIVE:
            return self.parameters * native_bytes
        quantized = self.parameters - self.kept_parameters
        return int(quantized * _BYTES[quantization] + self.kept_parameters * _HALF_BYTES)


@dataclass(frozen=True, slots=True)
class ModelList:
    """The list, when it was checked, and against what."""

    checked_on: date
    source: str
    models: Sequence[ListedModel]


@dataclass(frozen=True, slots=True)
class Offer:
    """One model in one precision. `tokens_per_second`: no engine gives more to one answer; None where unknown."""

    model: ListedModel
    quantization: str
    weight_bytes: int
    fits: bool
    tokens_per_second: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides: bytes that models can have, bytes of an unquantized parameter, bytes a second that memory reads.

    `bandwidth_source` says where the last one is from.
    """

    room_bytes: int
    native_bytes: int
    bandwidth: float | None
    bandwidth_source: str


@cache
def model_list() -> ModelList:
    """The list that comes with Workbench, the smallest model first."""
    table: dict[str, Any] = tomllib.loads(
        resources.files("assets").joinpath("models", "fitting.toml").read_text("utf-8")
    )
    return ModelList(
        table["checked_on"], table["source"], tuple(ListedModel(**row) for row in table["models"])
    )


def offers(machine: Machine, models: Sequence[ListedModel]) -> list[Offer]:
    """Every model in every precision, fitting or not, in the models' order."""
    return [_offer(model, quantization, machine) for model in models for quantization in (NATIVE, *_BYTES)]


def _offer(model: ListedModel, quantization: str, machine: Machine) -> Offer:
    size = model.weight_bytes(quantization, machine.native_bytes)
    bound = None if machine.bandwidth is None else machine.bandwidth / size
    return Offer(model, quantization, size, size * WORKING_SHARE <= machine.room_bytes, bound)


def this_machine(room_bytes: int) -> Machine:
    """What this machine is, with so many bytes of memory for models. Blocking; imports torch."""
    from workbench.engine.loader import default_dtype_bytes

    bandwidth, source = memory_bandwidth()
    return Machine(room_bytes, default_dtype_bytes(None), bandwidth, source)


def memory_bandwidth() -> tuple[float | None, str]:
    """Bytes a second that memory reads, and where that is from: an accelerator's data sheet, else measured here.

    Blocking for a tenth of a second. What else the machine does lowers what is measured.
    """
    import torch

    if _has_gpu():
        name = torch.cuda.get_device_name(0)
        known = _data_sheet(name)
        return (known, f"data sheet of {name}") if known is not None else (None, f"no data sheet of {name}")
    probe = torch.ones(_PROBE_BYTES // 4, dtype=torch.float32)
    best = min(_seconds(probe.sum) for _ in range(_PROBE_RUNS))
    return _PROBE_BYTES / best, "measured here, the best of five reads"


def _seconds(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _data_sheet(name: str) -> float | None:
    """Bytes a second of the listed GPU with the most words in common with what the driver calls this one."""
    words = set(name.lower().replace("-", " ").split())
    found = [
        (len(listed), gpu.bandwidth_gb_s * 1e9)
        for title, gpu in load_hardware().gpus.items()
        if (listed := set(title.lower().replace("-", " ").split()) - {"nvidia", "amd"}) <= words
    ]
    return max(found)[1] if found else None


@dataclass(frozen=True, slots=True)
class CacheRoom:
    """What a model's key-value cache can hold: `tokens` in all, and `answers` at once that fill their `context`."""

    budget_bytes: int
    tokens: int
    answers: int
    context: int


def cache_room(card: ModelCard, settings: Settings, free_bytes: int) -> CacheRoom | None:
    """What the cache of this model can hold beside its weights, in so many free bytes.

    None where its files are not here, or where its layers keep something else than every key and value.
    """
    from workbench.engine.loader import default_dtype_bytes
    from workbench.engine.selection import CPU_ROWS, GPU_ROWS

    folder, parameters = local_folder(card, settings), parameter_count(card, settings)
    if folder is None or parameters is None or not (folder / "config.json").is_file():
        return None
    config = json.loads((folder / "config.json").read_text("utf-8"))
    each = default_dtype_bytes(card.dtype, stored_dtype(folder))
    shape = model_shape(config, parameters, bytes_per_weight=each, kv_bytes=each)
    context = card.context_length or config.get("max_position_embeddings")
    if shape.kv_bytes_per_token is None or not context:
        return None
    left = max(0, free_bytes - loaded_bytes(parameters, card.quantization, each))
    budget = settings.kv_cache_bytes or int(left * KV_SHARE)
    tokens = int(budget // shape.kv_bytes_per_token)
    rows = card.max_concurrency or (GPU_ROWS if _has_gpu() else CPU_ROWS)
    return CacheRoom(budget, tokens, min(rows, tokens // context), context)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()

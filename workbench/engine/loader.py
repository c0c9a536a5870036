"""Loads a model through transformers: where it comes from, in which precision, and what it is good for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as hub_logging

import workbench
from workbench.core.backend import ModelCard, Progress
from workbench.core.errors import WeightsError
from workbench.core.openmp import release_workers
from workbench.core.settings import Settings
from workbench.engine.compiled import layer_for
from workbench.engine.footprint import safetensors_parameters
from workbench.engine.fused import FusedDecoder
from workbench.engine.int8 import has_int8_kernels
from workbench.engine.memory import free_bytes, kv_budget
from workbench.engine.projections import prepare_projections
from workbench.engine.runner import Runner, SlotRunner, text_config
from workbench.engine.selection import SPARE_ROWS, choose_runner, default_rows
from workbench.engine.sources import locate

log = structlog.get_logger(__name__)

_SAMPLED_BLOCK = 1 << 20
_BYTES_WHILE_QUANTIZING = 6
"""A parameter's float32 and int8 bytes, and what the largest layer takes on the way."""
_DEFAULTS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to generate. `defaults` are the sampling values its generation_config sets.

    `places` is how many rows any caller may fill; what the runner has beyond is for callers who hold none.
    """

    runner: Runner
    tokenizer: PreTrainedTokenizerFast
    context_length: int
    dtype: str
    fingerprint: str
    eos_ids: frozenset[int]
    defaults: Mapping[str, float | int]
    is_batched: bool
    places: int
    parameters: int
    memory_bytes: int


def load_model(card: ModelCard, settings: Settings, progress: Progress) -> LoadedModel:
    """The model of this card, in memory.

    Raises: WeightsError naming what is missing and the cure.
    """
    if card.adapter is not None:
        raise WeightsError(
            f"The model `{card.id}` names an adapter, which is not loaded here: merge it into its base with "
            "peft's merge_and_unload and name the merged folder as source."
        )
    hub_logging.disable_progress_bar()
    source = locate(card, settings, progress)
    progress("reading the tokenizer", 0.0)
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=card.trust_remote_code)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise WeightsError(f"The model `{card.id}` has no fast tokenizer, which Workbench needs.")
    progress("loading the weights", 0.1)
    is_own_int8 = _is_own_int8(card, source)
    model = _load_weights(card, source, is_own_int8=is_own_int8)
    dtype, parameters = str(model.dtype).removeprefix("torch."), model.num_parameters()
    prepare_projections(model, is_int8=is_own_int8)
    progress("checking the model", 0.9)
    budget = kv_budget(model.device.type, settings.kv_cache_bytes)
    places = card.max_concurrency or default_rows(model.device.type)
    spare_rows = SPARE_ROWS if card.max_concurrency is None else 0
    runner = choose_runner(
        model,
        budget_bytes=budget,
        max_rows=places + spare_rows,
        compiled_for=lambda shape: layer_for(shape, settings.home, progress) if settings.compile else None,
    )
    loaded = LoadedModel(
        runner=runner,
        tokenizer=tokenizer,
        context_length=card.context_length or _context_length(model, tokenizer),
        dtype=dtype,
        fingerprint=fingerprint(card, source, f"{dtype}:{_kernels(runner, is_own_int8=is_own_int8)}"),
        eos_ids=_eos_ids(model, tokenizer),
        defaults=_sampling_defaults(model),
        is_batched=isinstance(runner, SlotRunner),
        places=min(places, runner.max_rows),
        parameters=parameters,
        memory_bytes=model.get_memory_footprint(),
    )
    release_workers()  # this thread's: the engine's own thread computes from here on
    progress("ready", 1.0)
    return loaded


def _kernels(runner: Runner, *, is_own_int8: bool) -> str:
    """What computes the model, as far as it changes the last digits."""
    is_compiled = (
        isinstance(runner, SlotRunner)
        and isinstance(runner.forward, FusedDecoder)
        and runner.forward.is_compiled
    )
    return ("onednn" if is_own_int8 else "transformers") + (":compiled" if is_compiled else "")


def _load_weights(card: ModelCard, source: Path, *, is_own_int8: bool) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(source, trust_remote_code=card.trust_remote_code)
    dtype = torch.float32 if is_own_int8 else choose_dtype(card.dtype, config)
    kwargs: dict[str, Any] = {
        "dtype": dtype,
        "device_map": card.device_map or ("auto" if torch.cuda.is_available() else None),
        "trust_remote_code": card.trust_remote_code,
        "use_safetensors": True,
        "quantization_config": None if is_own_int8 else quantization_config(card.quantization, dtype),
        "attn_implementation": "sdpa",
    }
    try:
        model = AutoModelForCausalLM.from_pretrained(
            source, **{key: value for key, value in kwargs.items() if value is not None}
        )
    except OSError as failure:
        raise WeightsError(
            f"The model `{card.id}` has no safetensors weights in {source}. Pickled weights are refused: "
            "they can run code. Convert them with transformers' save_pretrained."
        ) from failure
    except ValueError as failure:
        raise WeightsError(f"transformers cannot load the model `{card.id}`: {failure}") from failure
    return model.eval()


def _is_own_int8(card: ModelCard, source: Path) -> bool:
    """True when int8 is computed by `Int8Linear` and not by bitsandbytes, which is slow on a CPU.

    It is made from float32 weights, so there must be room for those, too.
    """
    if card.quantization != "int8" or torch.cuda.is_available() or not has_int8_kernels():
        return False
    parameters = sum(safetensors_parameters(path) for path in source.glob("*.safetensors"))
    return parameters * _BYTES_WHILE_QUANTIZING <= free_bytes("cpu")


def choose_dtype(name: str | None, config: Any) -> torch.dtype:
    """The card's dtype; else the checkpoint's on an accelerator or a CPU that computes in it; else float32.

    Raises: WeightsError for a name that is not a floating-point dtype.
    """
    if name is not None:
        dtype = getattr(torch, name, None)
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise WeightsError(
                f"dtype {name!r} is not one of float32, bfloat16, float16. Correct models.toml."
            )
        return dtype
    own = getattr(config.get_text_config(decoder=True), "dtype", None) or torch.float32
    if torch.cuda.is_available():
        return own
    return own if own == torch.bfloat16 and torch.cpu._is_avx512_bf16_supported() else torch.float32


def default_dtype_bytes(name: str | None, stored: str | None = None) -> int:
    """Bytes a parameter will take: the named dtype's size, else what `choose_dtype` makes of a checkpoint stored so."""
    if name is not None:
        dtype = getattr(torch, name, None)
        return dtype.itemsize if isinstance(dtype, torch.dtype) else 4
    has_gpu = torch.cuda.is_available()
    native = 2 if has_gpu or torch.cpu._is_avx512_bf16_supported() else 4
    if stored is None or stored == "bfloat16":
        return native
    return 2 if has_gpu and stored == "float16" else 4


def quantization_config(quantization: str, compute_dtype: torch.dtype) -> BitsAndBytesConfig | None:
    """Bitsandbytes' settings, chosen so that a row's result does not depend on its neighbours.

    With its default int8 threshold of 6.0 an outlier in one row changes the column for all rows: 0.0 turns that off.
    """
    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=0.0)
    if quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute_dtype
        )
    return None


def _context_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> int:
    config = text_config(model)
    length = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    return int(length or min(tokenizer.model_max_length, 4096))


def _eos_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    own = model.generation_config.eos_token_id if model.generation_config is not None else None
    ids = own if isinstance(own, list) else [own]
    return frozenset(int(token) for token in (*ids, tokenizer.eos_token_id) if token is not None)


def _sampling_defaults(model: PreTrainedModel) -> dict[str, float | int]:
    """What the checkpoint's generation_config itself says about sampling."""
    if model.generation_config is None:
        return {}
    said = model.generation_config.to_diff_dict()
    return {name: said[name] for name in _DEFAULTS if said.get(name) is not None}


def fingerprint(card: ModelCard, source: Path, arithmetic: str) -> str:
    """OpenAI's system_fingerprint: changes with weights, arithmetic, quantization or the engine's code.

    `arithmetic` names the dtype and whose kernels compute.

    Weights count by name, size, and the first and last MiB of each file: hashing all of a large model takes minutes.
    """
    digest = hashlib.sha256()
    for path in sorted(source.glob("*.safetensors")) or [source / "config.json"]:
        size = path.stat().st_size
        digest.update(f"{path.name}:{size}".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLED_BLOCK))
            file.seek(max(0, size - _SAMPLED_BLOCK))
            digest.update(file.read(_SAMPLED_BLOCK))
    digest.update(
        f"{arithmetic}:{card.quantization}:{card.adapter}:{workbench.__version__}:{torch.__version__}".encode()
    )
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return f"fp_{digest.hexdigest()[:12]}"

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
from workbench.core.settings import Settings
from workbench.engine.memory import kv_budget
from workbench.engine.runner import MaskPlan, Runner, SerialRunner, SlotRunner, text_config
from workbench.engine.sources import locate

log = structlog.get_logger(__name__)

CPU_ROWS = 16
GPU_ROWS = 64
SELF_CHECK_TOKENS = 12
SELF_CHECK_TOLERANCE = 0.05
SELF_CHECK_TOLERANCE_QUANTIZED = 0.15
"""Where activations are rounded to 8 bits, one flipped rounding moves logits by some percent of their spread."""
_SAMPLED_BLOCK = 1 << 20
_DEFAULTS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to generate. `defaults` are the sampling values its generation_config sets."""

    runner: Runner
    tokenizer: PreTrainedTokenizerFast
    context_length: int
    dtype: str
    fingerprint: str
    eos_ids: frozenset[int]
    defaults: Mapping[str, float | int]
    is_batched: bool
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
    model = _load_weights(card, source)
    progress("checking the model", 0.9)
    budget = kv_budget(model.device.type, settings.kv_cache_bytes)
    runner = choose_runner(model, budget_bytes=budget, max_rows=card.max_concurrency)
    loaded = LoadedModel(
        runner=runner,
        tokenizer=tokenizer,
        context_length=card.context_length or _context_length(model, tokenizer),
        dtype=str(model.dtype).removeprefix("torch."),
        fingerprint=fingerprint(card, source, str(model.dtype)),
        eos_ids=_eos_ids(model, tokenizer),
        defaults=_sampling_defaults(model),
        is_batched=isinstance(runner, SlotRunner),
        parameters=model.num_parameters(),
        memory_bytes=model.get_memory_footprint(),
    )
    progress("ready", 1.0)
    return loaded


def _load_weights(card: ModelCard, source: Path) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(source, trust_remote_code=card.trust_remote_code)
    dtype = choose_dtype(card.dtype, config)
    kwargs: dict[str, Any] = {
        "dtype": dtype,
        "device_map": card.device_map or ("auto" if torch.cuda.is_available() else None),
        "trust_remote_code": card.trust_remote_code,
        "use_safetensors": True,
        "quantization_config": quantization_config(card.quantization, dtype),
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


def default_dtype_bytes(name: str | None) -> int:
    """Bytes a parameter will probably take: the named dtype's size, else what this machine computes in."""
    if name is not None:
        dtype = getattr(torch, name, None)
        return dtype.itemsize if isinstance(dtype, torch.dtype) else 4
    return 2 if torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() else 4


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


def choose_runner(model: PreTrainedModel, *, budget_bytes: int, max_rows: int | None = None) -> Runner:
    """Slots when this model's layers can live in them and give the same logits there; else one at a time.

    Raises: WeightsError when the model runs in neither way.
    """
    plan = MaskPlan.of(text_config(model))
    rows = max_rows or (GPU_ROWS if model.device.type == "cuda" else CPU_ROWS)
    if plan is not None:
        runner = SlotRunner(model, plan, budget_bytes=budget_bytes, max_rows=rows)
        if _agrees(model, runner):
            return runner
        log.warning("slots give other logits than the model; running one request at a time")
    serial = SerialRunner(model, budget_bytes=budget_bytes)
    if not _agrees(model, serial):
        raise WeightsError("This model's cache cannot be driven token by token; it cannot be served.")
    return serial


@torch.inference_mode()
def _agrees(model: PreTrainedModel, runner: Runner) -> bool:
    """True when chunked prefill and a decode step give the logits of one plain pass."""
    size = runner.vocabulary
    ids = [(7 * place + 3) % size for place in range(SELF_CHECK_TOKENS)]
    plain = model(input_ids=torch.tensor([ids], device=runner.device), use_cache=False).logits[0, -1].float()
    middle = SELF_CHECK_TOKENS // 2
    try:
        runner.reserve(1, SELF_CHECK_TOKENS)
        runner.prefill(0, ids[:middle], 0, 1)
        runner.prefill(0, ids[middle:-1], middle, 1)
        stepped = runner.decode(ids[-1:], [SELF_CHECK_TOKENS - 1])[0]
    except (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError) as failure:
        log.warning(
            "the model did not run this way", runner=type(runner).__name__, reason=type(failure).__name__
        )
        return False
    finally:
        runner.idle()
    spread = float(plain.max() - plain.min())
    is_quantized = getattr(model, "is_quantized", False)
    tolerance = SELF_CHECK_TOLERANCE_QUANTIZED if is_quantized else SELF_CHECK_TOLERANCE
    return float((plain - stepped).abs().max()) <= tolerance * max(spread, 1e-6)


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


def fingerprint(card: ModelCard, source: Path, dtype: str) -> str:
    """OpenAI's system_fingerprint: changes with weights, dtype, quantization or the engine's code.

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
        f"{dtype}:{card.quantization}:{card.adapter}:{workbench.__version__}:{torch.__version__}".encode()
    )
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return f"fp_{digest.hexdigest()[:12]}"

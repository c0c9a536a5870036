"""How much memory a model will take, read from its files before anything is loaded."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

from workbench.core.backend import ModelCard
from workbench.core.settings import Settings
from workbench.engine.sources import EMBEDDED_PREFIX
from workbench.engine.weights import EMBEDDED, embedded_folder

WORKING_SHARE = 1.2
"""Weights times this is asked for: activations, the first key-value rows, fragmentation."""

_FLOAT32_BYTES = 4
_QUANTIZED_BYTES = {"int8": 1.1, "nf4": 0.6}


def needed_bytes(card: ModelCard, settings: Settings, dtype_bytes: int) -> int | None:
    """Bytes the model will take once loaded; None when its files are not on this machine yet.

    `dtype_bytes` is the size of the precision it will be loaded in: 4 for float32, 2 for bfloat16.
    """
    parameters = parameter_count(card, settings)
    return None if parameters is None else loaded_bytes(parameters, card.quantization, dtype_bytes)


def loaded_bytes(parameters: int, quantization: str, dtype_bytes: int) -> int:
    """Bytes that many parameters will take once loaded."""
    each = _QUANTIZED_BYTES.get(quantization, float(dtype_bytes))
    return int(parameters * each * WORKING_SHARE)


def parameter_count(card: ModelCard, settings: Settings) -> int | None:
    """How many parameters the model's safetensors hold; None when they are not here."""
    folder = local_folder(card, settings)
    if folder is None:
        return None
    counts = [safetensors_parameters(path) for path in folder.glob("*.safetensors")]
    if counts:
        return sum(counts)
    if card.source.startswith(EMBEDDED_PREFIX):
        model = EMBEDDED.get(card.source.removeprefix(EMBEDDED_PREFIX))
        return model.converted_bytes // _FLOAT32_BYTES if model is not None else None
    return None


def stored_dtype(folder: Path) -> str | None:
    """The dtype that a folder's config.json says its weights have, such as "bfloat16"; None where it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    said = {**config.get("text_config", {}), **config} if isinstance(config, dict) else {}
    dtype = said.get("dtype") or said.get("torch_dtype")
    return dtype if isinstance(dtype, str) else None


def local_folder(card: ModelCard, settings: Settings) -> Path | None:
    """Where the model's files are on this machine; None when they are not."""
    if card.source.startswith(EMBEDDED_PREFIX):
        return embedded_folder(card.source.removeprefix(EMBEDDED_PREFIX), settings.home)
    path = Path(card.source).expanduser()
    if path.is_dir():
        return path
    return _hub_snapshot(card)


def _hub_snapshot(card: ModelCard) -> Path | None:
    """The hub cache's copy of this model, when it is there."""
    from huggingface_hub import try_to_load_from_cache

    if card.source.count("/") != 1:
        return None
    found = try_to_load_from_cache(card.source, "config.json", revision=card.revision)
    return Path(found).parent if isinstance(found, str) else None


def safetensors_parameters(path: Path) -> int:
    """How many numbers a safetensors file holds: 8 bytes of header length, then the header as JSON."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")

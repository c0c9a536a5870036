"""What can be known of a model before anything of it is brought here: size, architecture, licence, gate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.backend import ModelCard
from workbench.core.errors import WeightsError
from workbench.core.settings import Settings
from workbench.engine.footprint import local_folder, safetensors_parameters, stored_dtype
from workbench.engine.hub import explained_hub_errors
from workbench.engine.sources import wanted_files

HUB_SECONDS = 10.0
"""How long the hub may take to answer."""
_DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
"""Safetensors' names of what weights are stored in."""
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """None means that it cannot be known from here.

    `architecture` is the config's model type, or a GGUF file's architecture; `dtype` is what most weights are stored
    in, such as "bfloat16". `download_bytes` are 0 for a model whose files are here. `is_gated`: its licence must be
    accepted on the hub first.
    """

    parameters: int | None
    architecture: str | None
    is_gguf: bool = False
    is_gated: bool = False
    download_bytes: int | None = 0
    licence: str | None = None
    dtype: str | None = None


def model_facts(card: ModelCard, settings: Settings) -> ModelFacts:
    """The facts of a local model from its files, else of a hub's from its index; no weights are read. Blocking.

    Raises: WeightsError for a model that is not there or has only pickled weights; HubUnreachable.
    """
    path = Path(card.source).expanduser()
    if path.is_file():
        return _of_gguf(path)
    if path.is_dir() and card.gguf_file:
        return _of_gguf(path / card.gguf_file)
    folder = local_folder(card, settings)
    if folder is not None and any(folder.glob("*.safetensors")):
        return _of_folder(folder)
    if path.is_dir():
        raise _no_safetensors(card.source)
    return _of_hub(card)


def check_access(card: ModelCard) -> None:
    """Does nothing when this machine's token may read the hub's model. Blocking.

    Raises: WeightsError naming HF_TOKEN; HubUnreachable.
    """
    from huggingface_hub import HfApi

    with explained_hub_errors(card):
        HfApi().auth_check(card.source)


def is_supported(facts: ModelFacts) -> bool | None:
    """Whether the installed transformers knows the architecture; None when the architecture is unknown."""
    if facts.architecture is None:
        return None
    if facts.is_gguf:
        from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

        return facts.architecture in GGUF_SUPPORTED_ARCHITECTURES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return facts.architecture in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES


def _of_folder(folder: Path) -> ModelFacts:
    parameters = sum(safetensors_parameters(path) for path in folder.glob("*.safetensors"))
    return ModelFacts(parameters, _model_type(folder / "config.json"), dtype=stored_dtype(folder))


def _model_type(config: Path) -> str | None:
    try:
        found = json.loads(config.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found.get("model_type") if isinstance(found, dict) else None


def _of_gguf(path: Path) -> ModelFacts:
    """Raises: WeightsError for a file that is no GGUF."""
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, IndexError, KeyError) as failure:
        raise WeightsError(f"{path.name} is not a GGUF file that can be read: {failure}") from failure
    field = reader.get_field("general.architecture")
    parameters = sum(int(tensor.n_elements) for tensor in reader.tensors)
    return ModelFacts(parameters, None if field is None else str(field.contents()), is_gguf=True)


def _of_hub(card: ModelCard) -> ModelFacts:
    from huggingface_hub import HfApi

    with explained_hub_errors(card):
        found = HfApi().model_info(
            card.source, revision=card.revision, timeout=HUB_SECONDS, files_metadata=True
        )
    files = {file.rfilename: file.size for file in found.siblings or []}
    if card.gguf_file is None and not any(name.endswith(".safetensors") for name in files):
        raise _no_safetensors(card.source, files)
    gguf = getattr(found, "gguf", None) if card.gguf_file is not None else None
    counted = None if found.safetensors is None else found.safetensors.total
    return ModelFacts(
        parameters=counted if gguf is None else gguf.get("total"),
        architecture=(found.config or {}).get("model_type") if gguf is None else gguf.get("architecture"),
        is_gguf=card.gguf_file is not None,
        is_gated=bool(found.gated),
        download_bytes=_download_bytes(card, files),
        licence=_licence(found.card_data),
        dtype=None if found.safetensors is None else _most_stored(found.safetensors.parameters),
    )


def _most_stored(parameters: dict[str, int]) -> str | None:
    """The dtype that most parameters are stored in, by torch's name; None for one that nobody computes in."""
    return _DTYPES.get(max(parameters, key=lambda name: parameters[name], default=""))


def _download_bytes(card: ModelCard, files: dict[str, int | None]) -> int | None:
    """The size of what would be brought; None where the hub does not say."""
    from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]  # documented there

    sizes = [files[name] for name in filter_repo_objects(files, allow_patterns=wanted_files(card))]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None


def _licence(card_data: Any) -> str | None:
    said = None if card_data is None else card_data.get("license")
    return said if isinstance(said, str) else None


def _no_safetensors(source: str, files: Iterable[str] = ()) -> WeightsError:
    has_pickles = any(name.endswith(_PICKLES) for name in files)
    what = "only pickled weights, which can run code" if has_pickles else "no safetensors weights"
    gguf = next((name for name in files if name.endswith(".gguf")), None)
    cure = (
        f"It has GGUF files: name one of them, such as {gguf}."
        if gguf is not None
        else "Name a repository or folder with safetensors, or a GGUF file."
    )
    return WeightsError(f"`{source}` has {what}. {cure}")

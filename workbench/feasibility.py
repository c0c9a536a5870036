"""Whether a model would run here, said before anything is brought: memory, disk, architecture, licence gate."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workbench.core.backend import ModelCard
from workbench.core.settings import Settings
from workbench.engine.facts import ModelFacts, is_supported, model_facts

_CONVERTED_BYTES = 4
"""A GGUF file is taken apart in float32 once, whatever it is loaded in afterwards."""
_GIB = 2**30


class Fit(StrEnum):
    """Whether memory holds the model. ALONE: once the models that are loaded now are gone."""

    NOW = "fits"
    ALONE = "fits alone"
    TOO_LARGE = "does not fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Memory:
    """Where models go: bytes that are free, and bytes that loaded models would give back."""

    free: int
    in_models: int


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What stands for and against a model here; None and UNKNOWN mean that it cannot be said."""

    facts: ModelFacts
    fit: Fit
    needed_bytes: int | None
    memory: Memory
    disk_free_bytes: int
    is_supported: bool | None

    @property
    def has_room_on_disk(self) -> bool | None:
        """Whether what would be brought goes onto the disk."""
        wanted = self.facts.download_bytes
        return None if wanted is None else wanted <= self.disk_free_bytes

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What keeps the model from running here for certain, each as a sentence; () when nothing is known to."""
        found = []
        if self.is_supported is False:
            found.append(
                f"The architecture {self.facts.architecture} is not one that the installed transformers can load."
            )
        if self.fit is Fit.TOO_LARGE and self.needed_bytes is not None:
            whole = self.memory.free + self.memory.in_models
            found.append(
                f"It needs about {self.needed_bytes / _GIB:.1f} GiB of memory, and models can have "
                f"{whole / _GIB:.1f} GiB here. Try int8 or nf4, or a smaller model."
            )
        if self.has_room_on_disk is False:
            found.append(
                f"Its files take {(self.facts.download_bytes or 0) / _GIB:.1f} GiB, and "
                f"{self.disk_free_bytes / _GIB:.1f} GiB are free on the disk. Point HF_HOME to a larger one."
            )
        return tuple(found)


def assess(card: ModelCard, settings: Settings, bytes_in_models: int = 0) -> Feasibility:
    """What stands for and against the model. Asks a model hub where the model is not here; blocking, for seconds.

    Raises: WeightsError for a model that does not exist or has only pickled weights; HubUnreachable.
    """
    from workbench.engine.memory import free_for_models

    facts = model_facts(card, settings)
    memory = Memory(free_for_models(), bytes_in_models)
    needed = needed_for(card, facts)
    return Feasibility(facts, _fit(needed, memory), needed, memory, _disk_free(settings), is_supported(facts))


def needed_for(card: ModelCard, facts: ModelFacts) -> int | None:
    """Bytes of memory the load takes at its height; None where the number of parameters is unknown."""
    from workbench.engine.footprint import loaded_bytes
    from workbench.engine.loader import default_dtype_bytes

    if facts.parameters is None:
        return None
    loaded = loaded_bytes(facts.parameters, card.quantization, default_dtype_bytes(card.dtype, facts.dtype))
    return max(loaded, facts.parameters * _CONVERTED_BYTES) if facts.is_gguf else loaded


def _fit(needed: int | None, memory: Memory) -> Fit:
    if needed is None:
        return Fit.UNKNOWN
    if needed <= memory.free:
        return Fit.NOW
    return Fit.ALONE if needed <= memory.free + memory.in_models else Fit.TOO_LARGE


def _disk_free(settings: Settings) -> int:
    """Bytes free where a hub's files go."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    existing = next((place for place in (folder, *folder.parents) if place.exists()), settings.home)
    return shutil.disk_usage(existing).free

"""What GPUs could do at best for the candidates: bounds from size and bandwidth, never a pass."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.capacity import Forecast, Load, ModelShape, forecast, model_shape
from evaluators.hardware import HardwareCatalogue
from evaluators.timing import RequestClass
from workbench.experiments.results.load import LoadResult
from workbench.experiments.results.outcome import Results

_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "nf4": 0.5625}
"""A weight's size; nf4 has 4 bits and a 32-bit scale for 64 weights."""


@dataclass(frozen=True, slots=True)
class CandidateForecast:
    """What GPUs could do at best for one candidate under the tested load."""

    candidate: str
    load: Load
    rows: tuple[Forecast, ...]


def forecast_candidate(
    results: Results,
    measured: LoadResult,
    config: Mapping[str, Any] | None,
    hardware: HardwareCatalogue,
) -> CandidateForecast | None:
    """The candidate on every GPU of the catalogue; None where its shape or the load is not known."""
    about = results.manifest["candidates"].get(measured.candidate)
    load = asked_load(measured)
    if about is None or load is None:
        return None
    shape = _shape(about, config or {})
    if shape is None:
        return None
    rows = tuple(forecast(name, gpu, shape, load) for name, gpu in hardware.gpus.items())
    return CandidateForecast(measured.candidate, load, rows)


def _shape(about: Mapping[str, Any], config: Mapping[str, Any]) -> ModelShape | None:
    bytes_per_weight = _BYTES.get(str(about["dtype"]))
    if not about["parameters"] or bytes_per_weight is None:
        return None
    return model_shape(config, int(about["parameters"]), bytes_per_weight=bytes_per_weight)


def asked_load(measured: LoadResult) -> Load | None:
    """The tested load: requests at a time by Little's law, sizes as they were."""
    ok = [t for t in measured.timings if t.outcome is RequestClass.OK]
    if not ok:
        return None
    rate = measured.level.offered_rate
    seconds = float(np.mean([t.end - t.scheduled for t in ok]))
    return Load(
        concurrency=max(1, math.ceil(rate * seconds)),
        prompt_tokens=round(float(np.mean([t.prompt_tokens for t in ok]))),
        output_tokens=max(1, round(float(np.mean([t.output_tokens for t in ok])))),
        requests_per_minute=rate * 60,
    )


def read_config(source: str, home: Path) -> dict[str, Any]:
    """A model's config.json where it lies on this machine, else {}; nothing is downloaded."""
    path = _config_path(source, home)
    if path is None or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _config_path(source: str, home: Path) -> Path | None:
    if source.startswith("embedded:"):
        return home / "models" / source.removeprefix("embedded:") / "config.json"
    if Path(source).is_dir():
        return Path(source) / "config.json"
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source, "config.json") if source.count("/") == 1 else None
    return Path(found) if isinstance(found, str) else None

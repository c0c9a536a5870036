"""GPU prices: the catalogue's, and over them those that the operator of this server has put in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from evaluators.hardware import Gpu, HardwareCatalogue, load_hardware
from workbench.core.errors import ConfigurationError, InvalidRequest

FILE_NAME = "gpu-prices.json"
OWN_SOURCE = "put in on this server"


class OwnPrice(BaseModel):
    """What one GPU costs an hour, and when that was put in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price_per_hour: Annotated[float, Field(gt=0)]
    price_date: date


_FILE: TypeAdapter[dict[str, OwnPrice]] = TypeAdapter(dict[str, OwnPrice])


def read_hardware(home: Path) -> HardwareCatalogue:
    """The catalogue with the prices in this home folder. Raises: ConfigurationError when they cannot be read."""
    catalogue = load_hardware()
    own = _read(home / FILE_NAME)
    gpus = {name: _priced(gpu, own.get(name)) for name, gpu in catalogue.gpus.items()}
    return replace(catalogue, gpus=gpus)


def save_prices(home: Path, prices: Mapping[str, float]) -> None:
    """Keeps the prices that differ from the catalogue's.

    Raises: InvalidRequest for a GPU that is not in the catalogue, or a price that is not above 0.
    """
    known, today = load_hardware().gpus, datetime.now(UTC).date()
    kept = _read(home / FILE_NAME)
    own: dict[str, OwnPrice] = {}
    for name, price in prices.items():
        if name not in known:
            raise InvalidRequest("One of these GPUs is not in the catalogue.", param="gpu")
        if not 0 < price < float("inf"):
            raise InvalidRequest(f"The price of {name} must be above 0.", param="price")
        if price != known[name].price_per_hour:
            earlier = kept.get(name)
            is_same = earlier is not None and earlier.price_per_hour == price
            own[name] = earlier if is_same and earlier else OwnPrice(price_per_hour=price, price_date=today)
    home.mkdir(parents=True, exist_ok=True)
    part = home / f"{FILE_NAME}.part"
    part.write_bytes(_FILE.dump_json(own, indent=1))
    part.replace(home / FILE_NAME)


def _read(path: Path) -> dict[str, OwnPrice]:
    if not path.is_file():
        return {}
    try:
        return _FILE.validate_python(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as failure:
        raise ConfigurationError(f"{path} holds no GPU prices. Correct it or delete it.") from failure


def _priced(gpu: Gpu, own: OwnPrice | None) -> Gpu:
    if own is None:
        return gpu
    return replace(gpu, price_per_hour=own.price_per_hour, price_source=OWN_SOURCE, price_date=own.price_date)

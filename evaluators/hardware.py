"""The catalogue of GPUs: memory, bandwidth and a dated price that the user can edit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from workbench.core.errors import ConfigurationError

Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind of GPU. A price nobody knows is None and makes costs unknown, never 0."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    memory_gib: Positive
    """As marketed."""
    bandwidth_gb_s: Positive
    """Memory bandwidth, 10^9 bytes a second."""
    bus_bits: Positive | None = None
    pin_gbps: Positive | None = None
    price_per_hour: Positive | None = None
    price_source: str = ""
    price_date: date | None = None


@dataclass(frozen=True, slots=True)
class HardwareCatalogue:
    """GPUs by name, and the currency of their prices."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    currency: str
    gpus: dict[str, Gpu] = field(default_factory=dict)

    def oldest_price(self) -> date | None:
        """When the stalest price was read, to be shown beside every cost."""
        return min((gpu.price_date for gpu in self.gpus.values() if gpu.price_date is not None), default=None)


def load_hardware(path: Path | None = None) -> HardwareCatalogue:
    """The catalogue in the user's own file, or the one that comes with Workbench.

    Raises: ConfigurationError when the file is missing, is not TOML, or an entry is wrong.
    """
    try:
        source = files("assets").joinpath("hardware", "gpus.toml") if path is None else path
        table = tomllib.loads(source.read_text(encoding="utf-8"))
        return TypeAdapter(HardwareCatalogue).validate_python(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError("The hardware catalogue cannot be read as TOML.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"The hardware catalogue: {place}: {first['msg']}.") from error

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from evaluators.hardware import load_hardware
from workbench.core.errors import ConfigurationError

CATALOGUE = load_hardware()


@pytest.mark.parametrize("name", CATALOGUE.gpus)
def test_bandwidth_follows_from_the_memory_interface(name: str) -> None:
    """Two independent numbers of the data sheet: pins and their speed must give the bandwidth."""
    gpu = CATALOGUE.gpus[name]
    assert gpu.bus_bits is not None
    assert gpu.pin_gbps is not None
    assert gpu.bus_bits * gpu.pin_gbps / 8 == pytest.approx(gpu.bandwidth_gb_s, rel=0.01)


@pytest.mark.parametrize("name", CATALOGUE.gpus)
def test_every_price_says_where_and_when_it_was_read(name: str) -> None:
    gpu = CATALOGUE.gpus[name]
    assert (gpu.price_per_hour is None) == (gpu.price_date is None) == (gpu.price_source == "")
    assert gpu.price_date is None or datetime.date(2026, 1, 1) <= gpu.price_date


def test_newer_data_centre_gpus_are_faster_and_larger() -> None:
    line = ["NVIDIA T4", "NVIDIA A10", "NVIDIA A100 SXM 80GB", "NVIDIA H200", "NVIDIA B200"]
    gpus = [CATALOGUE.gpus[name] for name in line]
    assert gpus == sorted(gpus, key=lambda gpu: gpu.bandwidth_gb_s)
    assert gpus == sorted(gpus, key=lambda gpu: gpu.memory_gib)


def test_the_stalest_price_is_known() -> None:
    assert CATALOGUE.oldest_price() == min(g.price_date for g in CATALOGUE.gpus.values() if g.price_date)


def test_the_users_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gpus.toml"
    path.write_text(
        'currency = "EUR"\n[gpus."Mine"]\nmemory_gib = 48\nbandwidth_gb_s = 900\nprice_per_hour = 0.4\n'
    )
    catalogue = load_hardware(path)
    assert catalogue.currency == "EUR"
    assert catalogue.gpus["Mine"].price_per_hour == 0.4


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("not toml", "TOML"),
        ("", "currency"),
        ('currency = "USD"\n[gpus.X]\nmemory_gib = 8', "bandwidth_gb_s"),
        ('currency = "USD"\n[gpus.X]\nmemory_gib = 8\nbandwidth_gb_s = -1', "bandwidth_gb_s"),
        ('currency = "USD"\n[gpus.X]\nmemory_gib = 8\nbandwidth_gb_s = 1\nspeed = 3', "speed"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "gpus.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        load_hardware(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="read"):
        load_hardware(tmp_path / "none.toml")

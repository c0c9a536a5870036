"""The way out: measured plans, hosted prices beside them, GPU prices that can be put in, and files that start it."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluators.hardware import load_hardware
from tests.experiments.small import run_small, small_experiment
from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.experiments.plan.gpu_prices import FILE_NAME, OWN_SOURCE, read_hardware, save_prices
from workbench.experiments.plan.hosting import OFFERED, parse_hosted
from workbench.experiments.plan.start_commands import start_files
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.outputs import START_FOLDER
from workbench.experiments.results.outcome import read_results

T4 = "NVIDIA T4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ExperimentFolder:
    home = tmp_path_factory.mktemp("deployment")
    folder = ExperimentFolder(home / "run")
    experiment = small_experiment(
        home, probes=[], hosted=OFFERED[0], machine_price_per_hour=0.01,
        requirements={"requests_per_minute": 60}, load={"rate": "60/s", "duration": "0.6s", "output_tokens": 3},
    )  # fmt: skip
    asyncio.run(run_small(experiment, folder))
    return folder


def verdict_of(folder: ExperimentFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(folder.verdict_path.read_text())
    return found


def test_the_break_even_is_where_the_months_bills_meet(folder: ExperimentFolder) -> None:
    verdict = verdict_of(folder)
    price = parse_hosted(OFFERED[0])
    assert len(verdict["deployment"]["hosted"]) == 2
    for row, entry in zip(verdict["deployment"]["hosted"], verdict["candidates"], strict=True):
        a_request = (
            row["prompt_tokens"] * price.input_per_million + row["output_tokens"] * price.output_per_million
        ) / 1e6
        assert row["cost_per_request"] == pytest.approx(a_request)
        sustained = entry["load"]["sustained_per_minute"]
        if sustained is None:
            assert row["break_even_per_minute"] is None
            continue
        assert row["break_even_per_minute"] * 60 * a_request == pytest.approx(0.01)
        assert row["dearest_hour"] == pytest.approx(sustained * 60 * a_request)
        assert row["is_reachable"] == (row["break_even_per_minute"] <= sustained)
    assert "Against a hosted endpoint" in folder.report_path.read_text()


@pytest.mark.parametrize("name", ["", "openai", "openai/no-such-model-anywhere", "nobody/gpt-4o-mini"])
def test_a_hosted_model_without_a_price_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="provider/model"):
        parse_hosted(name)


@pytest.mark.parametrize("name", OFFERED)
def test_what_the_page_offers_has_a_price(name: str) -> None:
    assert parse_hosted(name).output_per_million > 0


def test_a_price_that_was_put_in_stands_over_the_catalogues(tmp_path: Path) -> None:
    catalogue = load_hardware().gpus
    save_prices(tmp_path, {T4: 0.11, "NVIDIA L4": catalogue["NVIDIA L4"].price_per_hour or 1.0})
    found = read_hardware(tmp_path).gpus
    assert (found[T4].price_per_hour, found[T4].price_source) == (0.11, OWN_SOURCE)
    assert found["NVIDIA L4"] == catalogue["NVIDIA L4"]
    assert found[T4].memory_gib == catalogue[T4].memory_gib


@pytest.mark.parametrize("prices", [{"no such": 1.0}, {T4: 0.0}, {T4: float("nan")}, {T4: float("inf")}])
def test_impossible_prices_are_refused(tmp_path: Path, prices: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest):
        save_prices(tmp_path, prices)


def test_a_broken_price_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"NVIDIA T4": {"price_per_hour": -1}}')
    with pytest.raises(ConfigurationError, match=FILE_NAME):
        read_hardware(tmp_path)


def test_a_remote_candidate_is_started_by_nobody_else(folder: ExperimentFolder) -> None:
    results = read_results(folder)
    about = results.manifest["candidates"]["one"]
    about |= {"source": "https://example.com/v1"}
    assert [made.candidate for made in start_files(results, {})] == ["two"]


def test_the_files_say_the_same_in_three_languages(folder: ExperimentFolder) -> None:
    results = read_results(folder)
    about = results.manifest["candidates"]["one"]
    about |= {"source": "owner/it's", "revision": "abc", "quantization": "nf4", "dtype": "bfloat16"}
    made = start_files(results, {"one": 3})[0]
    command = shlex.split(made.files["vllm.sh"])
    assert command[:3] == ["vllm", "serve", "owner/it's"]
    compose = yaml.safe_load(made.files["compose.yaml"])
    assert compose["services"]["model"]["command"] == ["--model", *command[2:]]
    (application,) = yaml.safe_load(made.files["ray-serve.yaml"])["applications"]
    assert application["import_path"] == "ray.serve.llm:build_openai_app"
    (config,) = application["args"]["llm_configs"]
    assert config["model_loading_config"]["model_source"] == "owner/it's"
    assert config["engine_kwargs"] == {
        "max_model_len": about["context_length"], "dtype": "bfloat16", "quantization": "bitsandbytes",
        "revision": "abc",
    }  # fmt: skip
    assert config["deployment_config"]["autoscaling_config"]["max_replicas"] == 3


def test_the_files_are_put_beside_the_report(folder: ExperimentFolder) -> None:
    found = {path.name for path in (folder.path / START_FOLDER).rglob("*") if path.is_file()}
    assert found == {"vllm.sh", "compose.yaml", "ray-serve.yaml"}

"""What is known of a model before it is brought, and what a hub's refusals become."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import pytest
import torch
from huggingface_hub import HfApi
from huggingface_hub.errors import OfflineModeIsEnabled
from transformers import PretrainedConfig

from tests.engine.tiny_gguf import write_tiny_gguf
from tests.engine.tiny_models import tiny_model
from workbench.core.backend import ModelCard
from workbench.core.errors import HubUnreachable, WeightsError
from workbench.core.settings import Settings
from workbench.engine.facts import ModelFacts, is_supported, model_facts
from workbench.engine.loader import choose_dtype, default_dtype_bytes


def card(source: str, **fields: Any) -> ModelCard:
    return ModelCard(id="m", source=source, **fields)


def answer_as_hub(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    """The hub's index says this of every model, or raises it."""

    def model_info(self: HfApi, repo_id: str, **options: object) -> object:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(HfApi, "model_info", model_info)


def index(*files: str, **fields: object) -> SimpleNamespace:
    siblings = [SimpleNamespace(rfilename=name, size=100) for name in files]
    said = {"siblings": siblings, "safetensors": None, "config": None, "gated": False, "card_data": None}
    return SimpleNamespace(**(said | fields))


def test_a_folders_facts_are_read_from_its_files(tmp_path: Path, settings: Settings) -> None:
    model = tiny_model("qwen3")
    model.save_pretrained(tmp_path / "mine")
    facts = model_facts(card(str(tmp_path / "mine")), settings)
    assert facts == ModelFacts(model.num_parameters(), "qwen3", dtype="float32")
    assert is_supported(facts)


def test_a_gguf_files_facts_are_read_from_its_header(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "tiny.gguf"
    write_tiny_gguf(path, gguf.GGMLQuantizationType.Q4_1)
    facts = model_facts(card(str(path)), settings)
    assert (facts.architecture, facts.is_gguf, facts.download_bytes) == ("llama", True, 0)
    assert facts.parameters is not None
    assert facts.parameters > 10_000
    assert is_supported(facts)


def test_what_is_no_gguf_is_said_to_be_none(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not this format at all")
    with pytest.raises(WeightsError, match="not a GGUF file"):
        model_facts(card(str(tmp_path / "x.gguf")), settings)


def test_a_folder_with_pickles_alone_is_refused(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(WeightsError, match="no safetensors"):
        model_facts(card(str(tmp_path)), settings)


def test_a_hubs_index_gives_size_licence_and_gate(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    found = index(
        "model-1.safetensors", "model-2.safetensors", "config.json", "pytorch_model.bin",
        safetensors=SimpleNamespace(total=7_000, parameters={"F32": 10, "BF16": 6_990}),
        config={"model_type": "llama"}, gated="manual",
        card_data={"license": "llama3.2"},
    )  # fmt: skip
    answer_as_hub(monkeypatch, found)
    facts = model_facts(card("some/model"), settings)
    assert facts == ModelFacts(
        7_000, "llama", is_gated=True, download_bytes=300, licence="llama3.2", dtype="bfloat16"
    )


def test_a_hubs_pickles_are_refused_and_its_gguf_files_named(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    answer_as_hub(monkeypatch, index("pytorch_model.bin"))
    with pytest.raises(WeightsError, match="only pickled weights"):
        model_facts(card("some/model"), settings)
    answer_as_hub(monkeypatch, index("model-q4.gguf"))
    with pytest.raises(WeightsError, match=r"such as model-q4\.gguf"):
        model_facts(card("some/model"), settings)


def test_of_a_named_gguf_file_only_that_file_is_counted(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    found = index("a.gguf", "b.gguf", "config.json", gguf={"total": 500, "architecture": "qwen2"})
    answer_as_hub(monkeypatch, found)
    facts = model_facts(card("some/model", gguf_file="b.gguf"), settings)
    assert facts == ModelFacts(500, "qwen2", is_gguf=True, download_bytes=200)


def test_a_hub_that_does_not_answer_is_said_to_be_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    answer_as_hub(monkeypatch, OfflineModeIsEnabled("offline"))
    with pytest.raises(HubUnreachable, match="cannot be reached"):
        model_facts(card("some/model"), settings)


def test_an_architecture_nobody_knows_is_not_supported() -> None:
    assert is_supported(ModelFacts(1, "no-such-architecture")) is False
    assert is_supported(ModelFacts(1, "no-such-architecture", is_gguf=True)) is False
    assert is_supported(ModelFacts(1, None)) is None


@pytest.mark.parametrize(
    ("has_gpu", "has_bf16", "stored", "size"),
    [
        (False, True, "float32", 4),
        (False, True, "bfloat16", 2),
        (False, True, "float16", 4),
        (False, False, "bfloat16", 4),
        (True, False, "float16", 2),
        (True, False, "float32", 4),
        (False, True, None, 2),
    ],
)
def test_a_parameter_takes_what_the_loader_makes_of_its_stored_dtype(
    monkeypatch: pytest.MonkeyPatch, has_gpu: bool, has_bf16: bool, stored: str | None, size: int
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bf16)
    assert default_dtype_bytes(None, stored) == size
    if stored is not None:
        assert choose_dtype(None, PretrainedConfig(dtype=stored)).itemsize == size
    assert default_dtype_bytes("bfloat16", stored) == 2

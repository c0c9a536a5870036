"""Layers compiled for the processor: the same numbers, kept for the next load, and done without where need be."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import structlog
import torch
from transformers import PreTrainedModel

from tests.engine.driver import BUDGET, Driver
from tests.engine.tiny_models import greedy, tiny_model
from workbench.engine import compiled
from workbench.engine.compiled import CompiledLayer, can_compile, compile_layer, compiled_layer, layer_for
from workbench.engine.fused import FusedDecoder, merge_projections
from workbench.engine.int8 import has_int8_kernels, quantize_linears
from workbench.engine.layer import LayerShape, layer_pass
from workbench.engine.prepacked import can_prepack, prepack_linears
from workbench.engine.runner import SlotRunner
from workbench.engine.selection import choose_runner

needs_compiler = pytest.mark.skipif(not can_compile(), reason="this machine has no C++ compiler")
needs_int8 = pytest.mark.skipif(not has_int8_kernels(), reason="this CPU has no VNNI")
SHAPE = LayerShape(64, 16, 4, 2, 96, 1e-6, False, False, (False,) * 4)  # fmt: skip


def prepared(kind: str, *, is_int8: bool) -> PreTrainedModel:
    """A tiny model as the loader would have it."""
    model = tiny_model(kind)
    merge_projections(model)
    if is_int8:
        for layer in model.model.layers:  # a random model's biases are zeros
            merged = layer.self_attn.q_proj.merged
            if merged.bias is not None:
                torch.nn.init.normal_(merged.bias)
        quantize_linears(model)
    else:
        assert can_prepack(model)
        prepack_linears(model)
    return model


@needs_compiler
@pytest.mark.parametrize(
    ("kind", "is_int8"),
    [
        pytest.param("qwen3", True, marks=needs_int8),
        pytest.param("qwen2", True, marks=[needs_int8, pytest.mark.slow]),
        pytest.param("mistral", False, marks=pytest.mark.slow),
    ],
)
def test_a_compiled_layer_gives_the_same_numbers_for_any_number_of_tokens(
    kind: str, is_int8: bool, tmp_path: Path
) -> None:
    model = prepared(kind, is_int8=is_int8)
    plain = FusedDecoder(model)
    compile_layer(plain.shape, tmp_path)
    made = compiled_layer(plain.shape, tmp_path)
    assert made is not None
    holds_for_any_number_of_tokens(plain, made)
    runner = choose_runner(model, budget_bytes=BUDGET, max_rows=8, compiled_for=lambda shape: made)
    assert isinstance(runner, SlotRunner)
    assert isinstance(runner.forward, FusedDecoder)
    assert runner.forward.is_compiled
    answers_the_same_among_others(model, runner)


@torch.inference_mode()
def holds_for_any_number_of_tokens(plain: FusedDecoder, made: CompiledLayer) -> None:
    """The layer alone, on 33 tokens and on each of some of them."""
    shape, layer = plain.shape, plain._layers[1]
    states = (
        torch.randn(33, shape.width),
        torch.randn(33, 1, shape.head_dim),
        torch.randn(33, 1, shape.head_dim),
    )

    def attend(rotated: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return rotated[:, : shape.queries].reshape(-1, shape.queries * shape.head_dim) + value.mean()

    def own(rotated: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return attend(rotated, torch.zeros(1))

    expected = layer_pass(shape, states, layer.weights, layer.product, attend)
    together = made(states, layer.weights, layer.product, attend)
    # Where a value lies between two of the 65,536 steps it may fall to either side.
    assert torch.allclose(together, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    rows = made(states, layer.weights, layer.product, own)
    for count in (1, 2, 7, 32):
        few = made(
            (states[0][:count], states[1][:count], states[2][:count]), layer.weights, layer.product, own
        )
        assert few.shape == (count, shape.width)
        if shape.is_int8:  # integer sums do not depend on how many rows there are
            assert torch.equal(few, rows[:count])
        else:
            assert torch.allclose(few, rows[:count], atol=1e-4)
    assert not vars(compiled._current), "a thread that has computed holds on to a model"


def answers_the_same_among_others(model: PreTrainedModel, runner: SlotRunner) -> None:
    """Greedy tokens of a prompt alone, among others, and by transformers' own loop."""
    driver = Driver(model, runner)
    alone = driver.submit([3, 14, 15], scope="one", ignore_eos=True, max_tokens=12)
    driver.run(alone)
    crowd = [driver.submit([9, 2, 6, seed], scope="other", ignore_eos=True) for seed in range(3)]
    again = driver.submit([3, 14, 15], scope="other", ignore_eos=True, max_tokens=12)
    driver.run(*crowd, again)
    assert again.ids() == alone.ids()
    own = greedy(model, [3, 14, 15], 12)
    assert alone.ids()[: len(own)] == own


def test_other_weights_are_compiled_beside_the_first_load_and_used_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slowly(shape: LayerShape, home: Path) -> None:
        begun.set()
        may_end.wait(30)

    monkeypatch.setattr(compiled, "can_compile", lambda: True)
    monkeypatch.setattr(compiled, "compile_layer", slowly)
    assert layer_for(SHAPE, tmp_path, lambda stage, done: None) is None
    assert begun.wait(30)
    may_end.set()


def test_8_bit_weights_wait_for_theirs_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = [], []
    monkeypatch.setattr(compiled, "can_compile", lambda: True)
    monkeypatch.setattr(compiled, "compile_layer", lambda shape, home: made.append(shape))
    shape = replace(SHAPE, is_int8=True)
    assert layer_for(shape, tmp_path, lambda stage, done: said.append(stage)) is None
    assert made == [shape]
    assert said == ["compiling its layers for this processor, which is done once"]


def test_without_a_compiler_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(compiled, "compile_layer", lambda shape, home: pytest.fail("it was begun"))
    assert not can_compile()
    assert layer_for(replace(SHAPE, is_int8=True), tmp_path, lambda stage, done: None) is None


def test_what_cannot_be_loaded_is_removed_so_that_it_is_made_anew(tmp_path: Path) -> None:
    path = compiled._path(SHAPE, tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"cut off")
    assert compiled_layer(SHAPE, tmp_path) is None
    assert not path.exists()


def test_code_for_another_processor_shape_or_torch_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = compiled._path(SHAPE, tmp_path)
    assert compiled._path(SHAPE, tmp_path) == own
    assert compiled._path(replace(SHAPE, width=128), tmp_path) != own
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert compiled._path(SHAPE, tmp_path) != own
    monkeypatch.undo()
    monkeypatch.setattr(compiled, "_processor", lambda: "one without AVX-512")
    assert compiled._path(SHAPE, tmp_path) != own


def test_a_compilation_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with structlog.testing.capture_logs() as logs:
        compile_layer(SHAPE, tmp_path)
    assert [entry["reason"] for entry in logs] == ["it ended with 1"]
    assert compiled_layer(SHAPE, tmp_path) is None


def test_a_home_that_cannot_be_written_is_told_and_stops_no_load(tmp_path: Path) -> None:
    (tmp_path / compiled.FOLDER).write_text("a file where the folder should be")
    with structlog.testing.capture_logs() as logs:
        compile_layer(SHAPE, tmp_path)
    assert [entry["reason"] for entry in logs] == ["FileExistsError"]


@needs_compiler
def test_the_compiling_process_ends_with_the_one_that_began_it(tmp_path: Path) -> None:
    arguments = [json.dumps(asdict(SHAPE)), str(tmp_path / "layer.so")]
    child = subprocess.Popen(
        [sys.executable, "-m", "workbench.engine.compile_layer", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    child.stdin.close()  # as when its parent is gone
    assert child.wait(120) == 1
    assert list(tmp_path.iterdir()) == []

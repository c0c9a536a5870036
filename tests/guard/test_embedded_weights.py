"""Stored weights are close to the trained ones, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guard.embedded.weights import quantize_rows, read_weights, write_weights


def test_an_entry_is_off_by_at_most_half_its_rows_scale() -> None:
    matrix = (
        np.random.default_rng(1).normal(size=(20, 33)).astype(np.float32)
        * np.geomspace(1e-4, 10, 20)[:, None]
    )
    stored, scales = quantize_rows(matrix.astype(np.float32))
    assert stored.dtype == np.int8
    assert (np.abs(stored * scales - matrix) <= scales * 0.5001).all()


def test_a_row_of_zeros_stays_zero() -> None:
    stored, scales = quantize_rows(np.zeros((2, 3), dtype=np.float32))
    assert not (stored * scales).any()


def test_a_written_file_reads_back(tmp_path: Path) -> None:
    tensors = {
        "layer.weight": np.random.default_rng(2).normal(size=(8, 16)).astype(np.float32),
        "layer.bias": np.arange(8, dtype=np.float32),
    }
    write_weights(tensors, tmp_path / "weights.safetensors")
    found = read_weights(tmp_path / "weights.safetensors")
    assert found.keys() == tensors.keys()
    np.testing.assert_array_equal(found["layer.bias"], tensors["layer.bias"])
    np.testing.assert_allclose(found["layer.weight"], tensors["layer.weight"], atol=0.03)

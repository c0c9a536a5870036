"""The weights file: matrices as int8 with one float32 scale a row, vectors as float32, in safetensors.

A row's scale is max|w| / 127, so that an entry is off by at most half a scale. The network computes in float32 on the
dequantised values: kernels that quantise activations by the batch would let one row change another's score.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from guard.embedded.encoder import GuardNetwork

SCALE_SUFFIX = ".scale"
Array = NDArray[np.float32] | NDArray[np.int8]


def quantize_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The int8 matrix and its scales [rows, 1], with `int8 * scale` within half a scale of `matrix`."""
    scales = np.abs(matrix).max(axis=1, keepdims=True).astype(np.float32) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(matrix / scales).astype(np.int8), scales


def write_weights(tensors: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Write named float32 tensors; those with two dimensions are quantised."""
    from safetensors.numpy import save_file

    stored: dict[str, Array] = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            stored[name], stored[name + SCALE_SUFFIX] = quantize_rows(tensor)
        else:
            stored[name] = tensor
    save_file(stored, path)


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a file that `write_weights` wrote."""
    from safetensors.numpy import load_file

    stored = load_file(path)
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, tensor in stored.items():
        if name.endswith(SCALE_SUFFIX):
            continue
        scale = stored.get(name + SCALE_SUFFIX)
        tensors[name] = tensor.astype(np.float32) if scale is None else tensor.astype(np.float32) * scale
    return tensors


def load_network(path: Path) -> GuardNetwork:
    """The network with the weights at `path`, in evaluation mode, on the CPU."""
    import torch

    from guard.embedded.encoder import GuardNetwork

    network = (
        GuardNetwork()
    )  # on the meta device it would be cheaper, but that imports torch's tracing machinery
    state = {name: torch.from_numpy(tensor) for name, tensor in read_weights(path).items()}
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)

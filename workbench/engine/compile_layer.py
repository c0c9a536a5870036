"""The process that compiles one layer: `python -m workbench.engine.compile_layer SHAPE PATH`, by `compiled.py`.

SHAPE is a LayerShape in JSON, PATH where the machine code goes. It ends with its parent, whose end it sees by its
standard input.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import zipfile
from functools import partial
from pathlib import Path

import torch
from torch import nn

import workbench.engine.compiled  # noqa: F401  # defines the two operations
from workbench.engine.layer import LayerShape, layer_pass

NICENESS = 10
MOST_SECONDS = 600
_ROWS = 16
"""Tokens of the example from which the compiler guesses where threads pay."""


class _Traced(nn.Module):
    """A layer as the compiler sees it: of tensors only."""

    def __init__(self, shape: LayerShape) -> None:
        super().__init__()
        self._shape = shape

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Hidden states, cosines, sines and weights as `layer_pass` takes them."""
        shape, (hidden, cos, sin, *weights) = self._shape, tensors
        operations = torch.ops.workbench
        return layer_pass(
            shape,
            (hidden, cos, sin),
            weights,
            lambda x, which: operations.product(x, which, shape.outputs[which]),
            partial(operations.attend, width=shape.queries * shape.head_dim),
        )


def compiled(shape: LayerShape, folder: Path) -> dict[str, bytes]:
    """The machine code of a layer of this shape, for any number of tokens, by suffix: a library, and what it calls."""
    hidden, turns = torch.zeros(_ROWS, shape.width), torch.zeros(_ROWS, 1, shape.head_dim)
    widths = [shape.width] * 2 + [shape.head_dim] * 2 * shape.has_head_norms
    widths += [count for count, has in zip(shape.outputs, shape.biases, strict=True) if has]
    weights = [torch.zeros(width) for width in widths]  # each its own: two names of one would be one input
    tokens = torch.export.Dim("tokens", min=2)
    sizes = ({0: tokens},) * 3 + ({},) * len(widths)
    package = folder / "layer.pt2"
    with torch.no_grad():
        exported = torch.export.export(
            _Traced(shape), (hidden, turns, turns.clone(), *weights), dynamic_shapes=(sizes,)
        )
        torch._inductor.aoti_compile_and_package(
            exported, package_path=str(package), inductor_configs={"cpp.dynamic_threads": True}
        )
    with zipfile.ZipFile(package) as packed:
        names = [name for name in packed.namelist() if name.endswith((".wrapper.so", ".wrapper.json"))]
        return {Path(name).suffix: packed.read(name) for name in names}


def _end_with_parent(scratch: str) -> None:
    sys.stdin.read()
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


def main(description: str, target: Path) -> None:
    """Compiles and, when all of it is there, puts it in its place."""
    os.nice(NICENESS)
    signal.alarm(MOST_SECONDS)
    fields = json.loads(description)
    shape = LayerShape(**{**fields, "biases": tuple(fields["biases"])})
    with tempfile.TemporaryDirectory() as scratch:
        threading.Thread(target=_end_with_parent, args=(scratch,), daemon=True).start()
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = scratch
        made = compiled(shape, Path(scratch))
    for suffix in (".json", ".so"):  # the library last: where it is, all is
        beside = target.with_suffix(f"{suffix}.part")
        beside.write_bytes(made[suffix])
        beside.replace(target.with_suffix(suffix))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

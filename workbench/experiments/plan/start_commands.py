"""How a candidate is started elsewhere: a vLLM command, and the same for docker compose and Ray Serve."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.experiments.results.outcome import Results

_DTYPES = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
_IMAGE = "vllm/vllm-openai:latest"


@dataclass(frozen=True, slots=True)
class StartFiles:
    """One candidate's, by file name."""

    candidate: str
    folder: str
    """The candidate's name as a folder's."""
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Served:
    """What vLLM is told about a model."""

    model: str
    context_length: int
    dtype: str | None
    is_quantized: bool
    revision: str | None

    @property
    def arguments(self) -> list[str]:
        """On the command line, behind the model."""
        found = ["--max-model-len", str(self.context_length)]
        found += [] if self.dtype is None else ["--dtype", self.dtype]
        found += ["--quantization", "bitsandbytes"] if self.is_quantized else []
        return found + ([] if self.revision is None else ["--revision", self.revision])


def start_files(results: Results, machines: Mapping[str, int]) -> list[StartFiles]:
    """For every candidate that has weights others can have too.

    `machines` is how many of the measured machines the asked load takes, where that was measured.
    """
    found: list[StartFiles] = []
    for number, (name, about) in enumerate(results.manifest["candidates"].items(), start=1):
        served = _served(about)
        if served is not None:
            files = {
                "vllm.sh": f"{shlex.join(['vllm', 'serve', served.model, *served.arguments])}\n",
                "compose.yaml": _compose(served),
                "ray-serve.yaml": _ray_serve(served, machines.get(name, 1)),
            }
            found.append(StartFiles(name, f"{number}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:60]}", files))
    return found


def _served(about: Mapping[str, Any]) -> _Served | None:
    source = str(about["source"])
    if source.startswith(("http://", "https://")):
        return None
    # An embedded model is the hub's model of the same id; a variant's suffix is Workbench's own.
    model = str(about["model"]).partition(":")[0] if source.startswith("embedded:") else source
    return _Served(
        model,
        int(about["context_length"]),
        _DTYPES.get(str(about["dtype"])),
        about["quantization"] != "none",
        str(about["revision"]) if about["revision"] else None,
    )


def _compose(served: _Served) -> str:
    arguments = "\n".join(f"      - {_quoted(part)}" for part in ["--model", served.model, *served.arguments])
    return (
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


def _ray_serve(served: _Served, replicas: int) -> str:
    """A config for `serve run ray-serve.yaml`, of Ray's own OpenAI-compatible application."""
    engine = [f"            max_model_len: {served.context_length}"]
    engine += [] if served.dtype is None else [f"            dtype: {served.dtype}"]
    engine += ["            quantization: bitsandbytes"] if served.is_quantized else []
    engine += [] if served.revision is None else [f"            revision: {_quoted(served.revision)}"]
    return (
        "# serve run ray-serve.yaml   (pip install 'ray[serve,llm]')\n"
        "applications:\n"
        "  - name: model\n"
        "    route_prefix: /\n"
        "    import_path: ray.serve.llm:build_openai_app\n"
        "    args:\n"
        "      llm_configs:\n"
        "        - model_loading_config:\n"
        f"            model_id: {_quoted(served.model)}\n"
        f"            model_source: {_quoted(served.model)}\n"
        "          deployment_config:\n"
        f"            autoscaling_config: {{min_replicas: 1, max_replicas: {max(replicas, 1)}}}\n"
        "          engine_kwargs:\n" + "\n".join(engine) + "\n"
    )


def _quoted(text: str) -> str:
    """YAML's single quotes, in which only the quote itself is special."""
    return "'" + text.replace("'", "''") + "'"

"""Servers that others wrote, as endpoints: `transformers serve`, and llama-cpp-python's where it is installed.

LLAMA_PYTHON may name another interpreter that has llama-cpp-python[server].
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gguf import GGMLQuantizationType

from tests.engine.tiny_gguf import write_tiny_gguf
from tests.engine.tiny_models import byte_tokenizer, tiny_model
from workbench.backends.remote import RemoteBackend, open_backend
from workbench.core.backend import CallContext, ModelCard
from workbench.core.chat import (
    ChatPrompt,
    Completion,
    CompletionBuilder,
    Delta,
    GenerationRequest,
    Message,
    OutputFormat,
    Role,
    TextPrompt,
)
from workbench.core.errors import UnsupportedParameter, WorkbenchError
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings

pytestmark = pytest.mark.slow

STARTUP_SECONDS = 240
CHAT = ChatPrompt((Message(Role.USER, "Say hello."),))
TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}"
TRANSFORMERS = Path(sys.executable).with_name("transformers")


@contextmanager
def served(command: Sequence[str], port: int, is_up: str, folder: Path) -> Iterator[str]:
    """The base URL of the server that the command starts, until the context ends; it is up once `is_up` answers."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = folder / "server.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    origin = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + STARTUP_SECONDS
        while not answers(f"{origin}{is_up}"):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
            time.sleep(0.5)
        yield f"{origin}/v1"
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("endpoint") / "tiny"
    tiny_model("llama").save_pretrained(folder)
    byte_tokenizer(TEMPLATE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["transformers", "llama-cpp-python"])
def endpoint(request: pytest.FixtureRequest, model: Path) -> Iterator[ModelCard]:
    port = free_port()
    if request.param == "transformers":
        if not TRANSFORMERS.is_file():
            pytest.skip("no transformers command beside this Python")
        # Its list of models is an error where nothing was ever downloaded.
        is_up, name = "/health", str(model)
        command = [
            str(TRANSFORMERS),
            "serve",
            name,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--device",
            "cpu",
        ]
    else:
        python = os.environ.get("LLAMA_PYTHON", sys.executable)
        if python == sys.executable and importlib.util.find_spec("llama_cpp") is None:
            pytest.skip(
                "pip install 'llama-cpp-python[server]' builds it, which takes minutes; see LLAMA_PYTHON"
            )
        path, is_up, name = model.parent / "tiny.gguf", "/v1/models", "tiny"
        write_tiny_gguf(path, GGMLQuantizationType.F32)
        command = [
            python, "-m", "llama_cpp.server", "--model", str(path), "--model_alias", name,
            "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "128", "--interrupt_requests", "false",
        ]  # fmt: skip
    with served(command, port, is_up, model.parent) as base_url:
        yield ModelCard(id="far", source=base_url, backend="remote", remote_model=name)


@pytest.fixture
async def backend(endpoint: ModelCard, settings: Settings) -> AsyncGenerator[RemoteBackend, None]:
    made = await asyncio.to_thread(open_backend, endpoint, settings, lambda stage, fraction: None)
    yield made
    await made.close()


async def complete(
    backend: RemoteBackend,
    params: GenerationParams,
    prompt: ChatPrompt | TextPrompt = CHAT,
    logprobs: int | None = None,
    output_format: OutputFormat | None = None,
) -> Completion:
    builder = CompletionBuilder()
    request = GenerationRequest("far", prompt, params, logprobs=logprobs, output_format=output_format)
    async for event in backend.stream(request, CallContext("test")):
        builder.add(event)
    return builder.completion()


def text(completion: Completion) -> str:
    return completion.choices[0].content


async def test_a_greedy_chat_streams_and_repeats(backend: RemoteBackend) -> None:
    params = GenerationParams(temperature=0.0, max_tokens=12)
    first, second = await complete(backend, params), await complete(backend, params)
    assert text(first)
    assert text(first) == text(second)
    assert 0 < first.usage.completion_tokens <= 12


async def test_a_plain_completion_streams_and_repeats(backend: RemoteBackend) -> None:
    params = GenerationParams(temperature=0.0, max_tokens=12)
    first, second = [await complete(backend, params, TextPrompt("The sea")) for _ in range(2)]
    assert text(first)
    assert text(first) == text(second)


async def test_what_the_probe_saw_ignored_is_refused_by_name(backend: RemoteBackend) -> None:
    asked = {
        "stop": GenerationParams(stop=["x"]),
        "seed": GenerationParams(seed=1),
        "top_k": GenerationParams(top_k=1),
        "repetition_penalty": GenerationParams(repetition_penalty=1.1),
    }
    for name in backend.info.ignored_params & asked.keys():
        with pytest.raises(UnsupportedParameter) as refused:
            await complete(backend, asked[name])
        assert refused.value.param == name


async def test_what_the_probe_saw_honoured_is_honoured(backend: RemoteBackend) -> None:
    honoured = {"seed", "stop", "repetition_penalty"} - backend.info.ignored_params
    plain = text(await complete(backend, GenerationParams(temperature=0.0, max_tokens=12)))
    if "seed" in honoured:
        hot = GenerationParams(temperature=1.0, seed=7, max_tokens=12)
        assert text(await complete(backend, hot)) == text(await complete(backend, hot))
    if "stop" in honoured:
        stop = plain[len(plain) // 2]
        params = GenerationParams(temperature=0.0, max_tokens=12, stop=[stop])
        assert text(await complete(backend, params)) == plain[: plain.index(stop)]
    if "repetition_penalty" in honoured:
        params = GenerationParams(temperature=0.0, max_tokens=12, repetition_penalty=0.1)
        other = GenerationParams(temperature=0.0, max_tokens=12, repetition_penalty=2.0)
        assert text(await complete(backend, params)) != text(await complete(backend, other))


async def test_an_answer_keeps_to_its_schema_where_that_was_promised(backend: RemoteBackend) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"const": 7}},
        "required": ["n"],
        "additionalProperties": False,
    }
    params = GenerationParams(temperature=0.0, max_tokens=40)
    if "json_schema" not in backend.info.features:
        with pytest.raises(UnsupportedParameter):
            await complete(backend, params, output_format=OutputFormat(schema, "seven"))
        return
    assert json.loads(text(await complete(backend, params, output_format=OutputFormat(schema, "seven")))) == {
        "n": 7
    }


async def test_log_probabilities_come_where_they_were_promised(backend: RemoteBackend) -> None:
    params = GenerationParams(temperature=0.0, max_tokens=4)
    if "logprobs" not in backend.info.features:
        with pytest.raises(UnsupportedParameter):
            await complete(backend, params, logprobs=2)
        return
    scores = (await complete(backend, params, logprobs=2)).choices[0].logprobs
    assert len(scores) == 4
    for score in scores:
        assert score.logprob is not None
        assert score.logprob <= 0
        assert len(score.top) >= 2


async def test_a_prompt_that_is_too_long_is_an_error_and_the_next_call_is_answered(
    backend: RemoteBackend, endpoint: ModelCard
) -> None:
    if endpoint.remote_model != "tiny":
        pytest.skip("transformers serve reads on beyond the context's length")
    with pytest.raises(WorkbenchError) as refused:
        await complete(backend, GenerationParams(max_tokens=4), TextPrompt("sea " * 200))
    assert "too long" in refused.value.message
    assert text(await complete(backend, GenerationParams(temperature=0.0, max_tokens=4)))


async def test_a_reader_that_leaves_leaves_the_endpoint_free(backend: RemoteBackend) -> None:
    stream = backend.stream(
        GenerationRequest("far", CHAT, GenerationParams(max_tokens=60)), CallContext("test")
    )
    async for event in stream:
        if isinstance(event, Delta) and event.content:
            break
    await stream.aclose()
    assert text(await complete(backend, GenerationParams(temperature=0.0, max_tokens=4)))


async def test_many_at_once_all_come_back(backend: RemoteBackend) -> None:
    params = GenerationParams(temperature=0.0, max_tokens=4)
    found = await asyncio.gather(*(complete(backend, params) for _ in range(4)))
    assert len({text(completion) for completion in found}) == 1

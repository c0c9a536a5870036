"""The engine over the embedded model's real weights: generate()'s tokens, seeds, structured output."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.backends.local import LocalBackend, open_backend
from workbench.core.backend import CallContext, ModelCard
from workbench.core.chat import (
    ChatPrompt,
    Completion,
    CompletionBuilder,
    FinishReason,
    GenerationRequest,
    Message,
    OutputFormat,
    Role,
    TextPrompt,
    TokenPrompt,
    Tool,
    ToolChoice,
    ToolChoiceMode,
)
from workbench.core.errors import ContextLengthExceeded, InvalidRequest, UnsupportedParameter
from workbench.core.params import GenerationParams
from workbench.core.settings import Settings

QUESTIONS = (
    "What is the capital of France?",
    "List three fruits.",
    "Explain gravity to a child in two sentences. " * 8,
    "Name a colour.",
    "Write one line about the sea.",
)
TOKENS = 20


@pytest.fixture(scope="module")
def backend(embedded_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBackend]:
    card = ModelCard(id="embedded", source=str(embedded_weights))
    home = tmp_path_factory.mktemp("home")
    opened = open_backend(card, Settings(home=home, kv_cache_bytes=1 << 30), lambda stage, fraction: None)
    yield opened
    opened._engine.close()


def chat(text: str) -> ChatPrompt:
    return ChatPrompt((Message(Role.USER, text),))


async def complete(backend: LocalBackend, request: GenerationRequest, scope: str = "test") -> Completion:
    builder = CompletionBuilder()
    async for event in backend.stream(request, CallContext(scope)):
        builder.add(event)
    return builder.completion()


def ask(prompt: Any, *, n: int = 1, logprobs: int | None = None, **params: Any) -> GenerationRequest:
    return GenerationRequest("embedded", prompt, GenerationParams(**params), n=n, logprobs=logprobs)


@pytest.fixture(scope="module")
def expected(embedded_weights: Path) -> list[list[int]]:
    """generate()'s greedy tokens for each question."""
    tokenizer = AutoTokenizer.from_pretrained(embedded_weights)
    model = AutoModelForCausalLM.from_pretrained(embedded_weights, dtype=torch.float32).eval()
    made = []
    for question in QUESTIONS:
        ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        output = model.generate(**ids, max_new_tokens=TOKENS, do_sample=False)[0, ids["input_ids"].shape[1] :]
        made.append([token for token in output.tolist() if token != tokenizer.eos_token_id])
    return made


def ids_of(completion: Completion) -> list[int]:
    return [score.token_id for score in completion.choices[0].logprobs]


async def test_greedy_tokens_are_generates_alone_and_together(
    backend: LocalBackend, expected: list[list[int]]
) -> None:
    requests = [ask(chat(question), temperature=0.0, max_tokens=TOKENS, logprobs=0) for question in QUESTIONS]
    assert ids_of(await complete(backend, requests[0])) == expected[0]
    together = await asyncio.gather(
        *(complete(backend, request, f"scope {i}") for i, request in enumerate(requests))
    )
    assert [ids_of(completion) for completion in together] == expected


async def test_a_seed_repeats_an_answer_and_another_seed_does_not(backend: LocalBackend) -> None:
    def request(seed: int) -> GenerationRequest:
        return ask(chat("Tell me a story."), temperature=1.0, max_tokens=12, seed=seed)

    first, again, other = [await complete(backend, request(seed)) for seed in (4, 4, 5)]
    assert first.choices[0].content == again.choices[0].content != other.choices[0].content


async def test_output_is_valid_json_of_the_schema_whatever_the_seed(backend: LocalBackend) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }
    request = GenerationRequest(
        "embedded", chat("Invent a person."), GenerationParams(temperature=1.5, max_tokens=120, seed=3), n=8,
        output_format=OutputFormat(schema),
    )  # fmt: skip
    completion = await complete(backend, request)
    for choice in completion.choices:
        assert choice.finish_reason is FinishReason.STOP
        jsonschema.validate(json.loads(choice.content), schema)


async def test_a_required_tool_is_called_with_valid_arguments(backend: LocalBackend) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    }
    prompt = ChatPrompt(
        (Message(Role.USER, "What is the weather in Paris?"),),
        tools=(Tool("get_weather", "The weather of a city", {**schema, "additionalProperties": False}),),
        tool_choice=ToolChoice(ToolChoiceMode.REQUIRED),
        parallel_tool_calls=False,
    )
    completion = await complete(backend, ask(prompt, temperature=1.0, seed=1, max_tokens=80))
    (choice,) = completion.choices
    (call,) = choice.tool_calls
    assert (call.name, choice.finish_reason, choice.content) == ("get_weather", FinishReason.TOOL_CALLS, "")
    jsonschema.validate(json.loads(call.arguments), schema)


async def test_the_best_of_many_has_the_best_mean_logprob(backend: LocalBackend) -> None:
    every = await complete(
        backend, ask(chat("Say hello."), n=4, logprobs=0, temperature=1.3, seed=8, max_tokens=8)
    )
    one = GenerationRequest(
        "embedded",
        chat("Say hello."),
        GenerationParams(temperature=1.3, seed=8, max_tokens=8),
        n=1,
        best_of=4,
    )
    best = await complete(backend, one)

    def mean(index: int) -> float:
        scores = [score.logprob or 0.0 for score in every.choices[index].logprobs]
        return sum(scores) / len(scores)

    assert best.choices[0].content == every.choices[max(range(4), key=mean)].content
    assert best.usage.completion_tokens == every.usage.completion_tokens


async def test_echoed_prompt_logprobs_are_those_of_a_plain_pass(backend: LocalBackend) -> None:
    request = GenerationRequest(
        "embedded", TextPrompt("The capital of France is Paris."), GenerationParams(max_tokens=0), logprobs=1,
        prompt_logprobs=True, echo=True,
    )  # fmt: skip
    completion = await complete(backend, request)
    scores = completion.started.prompt_logprobs
    model = backend._loaded.runner._model  # type: ignore[attr-defined]
    with torch.inference_mode():
        logits = model(torch.tensor([[score.token_id for score in scores]])).logits[0].float()
    logprobs = torch.log_softmax(logits, -1)
    for place in range(1, len(scores)):
        assert scores[place].logprob == pytest.approx(
            logprobs[place - 1, scores[place].token_id].item(), abs=0.01
        )
    assert b"".join(score.bytes for score in scores).decode() == "The capital of France is Paris."
    assert completion.started.prompt_text == "The capital of France is Paris."


@pytest.mark.parametrize(
    ("request_", "error", "param"),
    [
        (ask(TextPrompt("")), InvalidRequest, "prompt"),
        (ask(TokenPrompt((10**6,))), InvalidRequest, "prompt"),
        (ask(TextPrompt("a " * 9000)), ContextLengthExceeded, "prompt"),
        (ask(chat("hi"), max_tokens=9000), ContextLengthExceeded, "messages"),
        (ask(chat("hi"), logit_bias={"999999": 1.0}), InvalidRequest, "logit_bias"),
        (
            GenerationRequest("embedded", chat("hi"), output_format=OutputFormat({"not": {}})),
            UnsupportedParameter,
            "response_format",
        ),
        (
            ask(ChatPrompt((Message(Role.USER, "x"),), template_kwargs={"messages": []})),
            InvalidRequest,
            "chat_template_kwargs",
        ),
    ],
)
async def test_what_cannot_be_honoured_is_refused_by_name(
    backend: LocalBackend, request_: GenerationRequest, error: type[Exception], param: str
) -> None:
    with pytest.raises(error) as caught:
        await complete(backend, request_)
    assert caught.value.param == param  # type: ignore[attr-defined]


async def test_a_reader_that_leaves_frees_its_row(backend: LocalBackend) -> None:
    stream = backend.stream(ask(chat("Write a long story."), max_tokens=400), CallContext("test"))
    async for event in stream:
        if getattr(event, "content", ""):
            break
    await stream.aclose()
    for _ in range(100):
        if backend.load.running == 0:
            break
        await asyncio.sleep(0.05)
    assert backend.load.running == 0

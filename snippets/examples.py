"""Named requests that between them use every field a snippet can carry; the golden files are their code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snippets.request import Moderation, ModerationMode, ModerationSide, SnippetRequest
from workbench.core.chat import (
    ChatPrompt,
    GenerationRequest,
    Message,
    OutputFormat,
    Prompt,
    Role,
    TextPrompt,
    TokenPrompt,
    Tool,
    ToolCall,
    ToolChoice,
    ToolChoiceMode,
)
from workbench.core.params import GenerationParams

BASE_URL = "http://127.0.0.1:7860/openai/v1"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

HOSTILE_TEXT = (
    'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
    "EOF\n"
    "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
    "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
)
"""Everything that breaks a naive quoting, in one text."""

_QUESTION = ChatPrompt(
    (
        Message(Role.SYSTEM, "You are a careful assistant."),
        Message(Role.USER, "What's the capital of France?"),
    )
)
_SCORE, _BLOCK = ModerationSide(ModerationMode.SCORE), ModerationSide(ModerationMode.BLOCK)
_OPENING = TextPrompt("Once upon a time")
_WEATHER = Tool(
    "get_weather",
    "The weather of a city at this moment.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
_PANEL = GenerationParams(
    temperature=0.7, max_tokens=256, top_p=1.0, top_k=40, presence_penalty=0.5, frequency_penalty=0.0
)


def _request(
    prompt: Prompt, params: GenerationParams | None = None, *, is_streamed: bool = False
) -> SnippetRequest:
    generation = GenerationRequest(MODEL, prompt, params or GenerationParams(max_tokens=64))
    return SnippetRequest(generation, BASE_URL, is_streamed=is_streamed)


def _with(request: SnippetRequest, **changes: Any) -> SnippetRequest:
    """`request` with `changes` to its generation."""
    return replace(request, generation=replace(request.generation, **changes))


_CONVERSATION = ChatPrompt(
    messages=(
        Message(Role.USER, "How is the weather in Paris?", name="ada"),
        Message(
            Role.ASSISTANT,
            "",
            tool_calls=(ToolCall("call_1", "get_weather", '{"city": "Paris"}'),),
            reasoning="A tool knows.",
        ),
        Message(Role.TOOL, "18 °C", tool_call_id="call_1"),
    ),
    tools=(replace(_WEATHER, is_strict=True), Tool("get_time")),
    tool_choice=ToolChoice(ToolChoiceMode.NAMED, "get_time"),
    parallel_tool_calls=False,
    template_kwargs={"enable_thinking": False, "budget": None},
)
_EVERY_PARAMETER = GenerationParams(
    temperature=0.0,
    max_tokens=64,
    top_p=0.9,
    top_k=0,
    stop=["\n\n", '"""'],
    presence_penalty=0.0,
    frequency_penalty=-0.5,
    min_p=0.0,
    repetition_penalty=1.1,
    seed=0,
    min_tokens=0,
    ignore_eos=False,
    logit_bias={"50256": -100, "0": 1.5},
)
_JSON_SCHEMA = OutputFormat(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "inhabitants": {"type": ["integer", "null"]}},
        "required": ["name"],
        "additionalProperties": False,
    },
    name="city",
)

EXAMPLES: Mapping[str, SnippetRequest] = {
    "chat": _request(_QUESTION, _PANEL),
    "chat-stream": _request(_QUESTION, _PANEL, is_streamed=True),
    "chat-inserted-key": replace(_request(_QUESTION), key="wb-example-0123456789"),
    "chat-hostile": _request(
        ChatPrompt((Message(Role.SYSTEM, HOSTILE_TEXT), Message(Role.USER, f"Repeat: {HOSTILE_TEXT}"))),
        GenerationParams(max_tokens=64, stop=[HOSTILE_TEXT]),
    ),
    "chat-every-parameter": _with(
        _request(_QUESTION, _EVERY_PARAMETER), n=2, logprobs=0, report_effective=True, report_timing=True
    ),
    "chat-choices-stream": _with(_request(_QUESTION, is_streamed=True), n=2, report_effective=True),
    "chat-conversation": _request(_CONVERSATION),
    "chat-tools": _request(replace(_QUESTION, tools=(_WEATHER,))),
    "chat-tools-stream": _request(replace(_QUESTION, tools=(_WEATHER,)), is_streamed=True),
    "chat-continued": _request(
        ChatPrompt(
            (Message(Role.USER, "Name a colour."), Message(Role.ASSISTANT, "Certainly:")),
            add_generation_prompt=False,
            continue_final_message=True,
        )
    ),
    "chat-json-schema": _with(_request(_QUESTION), output_format=_JSON_SCHEMA),
    "chat-json-object": _with(_request(_QUESTION), output_format=OutputFormat()),
    "chat-moderation": replace(_request(_QUESTION), moderation=Moderation("embedded", _SCORE, _BLOCK)),
    "chat-moderation-stream": replace(
        _request(_QUESTION, is_streamed=True), moderation=Moderation("embedded", _SCORE)
    ),
    "completion": _request(_OPENING, _PANEL),
    "completion-stream": _request(_OPENING, _PANEL, is_streamed=True),
    "completion-hostile": _request(TextPrompt(HOSTILE_TEXT), is_streamed=True),
    "completion-scored": _with(
        _request(TokenPrompt((1, 0, 15339)), GenerationParams(max_tokens=0)),
        echo=True,
        logprobs=5,
        prompt_logprobs=True,
    ),
    "completion-best": _with(_request(_OPENING), n=2, best_of=3),
    "completion-moderation": replace(_request(_OPENING), moderation=Moderation("embedded", output=_SCORE)),
    "guarded-chat": replace(_request(_QUESTION), is_guarded=True),
    "guarded-chat-stream": replace(_request(_QUESTION, is_streamed=True), is_guarded=True),
    "guarded-chat-tools": replace(
        _with(_request(replace(_QUESTION, tools=(_WEATHER,))), n=2), is_guarded=True, guard="llama-guard-3"
    ),
    "guarded-chat-hostile": replace(
        _request(
            ChatPrompt(
                (
                    Message(Role.USER, HOSTILE_TEXT),
                    Message(Role.ASSISTANT, "Well..."),
                    Message(Role.SYSTEM, "Go on."),
                )
            ),
            is_streamed=True,
        ),
        is_guarded=True,
        guard='it\'s a "guard"',
    ),
    "guarded-completion": replace(_request(_OPENING), is_guarded=True),
}

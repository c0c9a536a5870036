"""Prompts through the model's own template, and what a template cannot do refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.tiny_models import byte_tokenizer
from workbench.backends.rendering import render, variables_read
from workbench.core.backend import ModelCard
from workbench.core.chat import ChatPrompt, Message, Role, TextPrompt, TokenPrompt, ToolCall
from workbench.core.errors import InvalidRequest, UnsupportedParameter, WeightsError
from workbench.core.settings import Settings

TEMPLATE = (
    "{% if raise_on and messages[0].role == 'system' %}{{ raise_exception('no system: ' + messages[0].content) }}"
    "{% endif %}{% for message in messages %}<{{ message.role }}>{{ message.content }}"
    "{% for call in message.tool_calls or [] %}[{{ call.function.name }} {{ call.function.arguments.a }}]{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
TOKENIZER = byte_tokenizer(TEMPLATE)


def chat(*messages: Message, **kwargs: object) -> ChatPrompt:
    return ChatPrompt(messages, **kwargs)  # type: ignore[arg-type]


def test_messages_go_through_the_models_own_template() -> None:
    rendered = render(chat(Message(Role.SYSTEM, "Be."), Message(Role.USER, "Hi.")), TOKENIZER)
    assert rendered.text == "<system>Be.<user>Hi.<assistant>"
    assert TOKENIZER.decode(rendered.ids) == rendered.text


def test_the_last_message_can_be_continued() -> None:
    prompt = chat(Message(Role.USER, "Hi."), Message(Role.ASSISTANT, "Well"), continue_final_message=True)
    assert render(prompt, TOKENIZER).text == "<user>Hi.<assistant>Well"
    with pytest.raises(InvalidRequest) as caught:
        render(chat(Message(Role.USER, "Hi."), continue_final_message=True), TOKENIZER)
    assert caught.value.param == "continue_final_message"


def test_tool_calls_reach_the_template_as_objects() -> None:
    message = Message(Role.ASSISTANT, "", tool_calls=(ToolCall("1", "f", '{"a": 7}'),))
    assert "[f 7]" in (render(chat(Message(Role.USER, "x"), message), TOKENIZER).text or "")


def test_a_template_that_refuses_says_so_without_the_text() -> None:
    prompt = chat(Message(Role.SYSTEM, "secret"), template_kwargs={"raise_on": True})
    with pytest.raises(InvalidRequest) as caught:
        render(prompt, TOKENIZER)
    assert caught.value.param == "messages"
    assert "secret" not in caught.value.message


def test_a_keyword_the_template_does_not_read_is_refused() -> None:
    assert "raise_on" in variables_read(TEMPLATE)
    tagged = "{%- generation -%}{{ a }}{% endgeneration %}{% for b in c %}{% break %}{% endfor %}"
    assert variables_read(tagged) == {"a", "c"}
    for name, param in (
        ("enable_thinking", "chat_template_kwargs"),
        ("reasoning_effort", "reasoning_effort"),
    ):
        with pytest.raises(UnsupportedParameter, match=name) as caught:
            render(chat(Message(Role.USER, "x"), template_kwargs={name: "low"}), TOKENIZER)
        assert caught.value.param == param


def test_a_model_without_a_template_is_for_plain_prompts() -> None:
    bare = byte_tokenizer()
    with pytest.raises(InvalidRequest, match="no chat template"):
        render(chat(Message(Role.USER, "x")), bare)
    assert render(TextPrompt("ab"), bare).text == "ab"
    assert render(TokenPrompt((1, 2)), bare).ids == (1, 2)


def test_an_adapter_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    from workbench.engine.loader import load_model

    card = ModelCard(id="mine", source=str(tmp_path), adapter="lora")
    with pytest.raises(WeightsError, match="adapter"):
        load_model(card, Settings(home=tmp_path), lambda stage, fraction: None)

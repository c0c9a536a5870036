"""From messages to the model's own prompt: chat templates, and token ids with their limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from jinja2 import Environment
from jinja2.exceptions import TemplateError
from jinja2.meta import find_undeclared_variables

from workbench.core.chat import ChatPrompt, Message, Prompt, Role, TextPrompt
from workbench.core.errors import InvalidRequest, UnsupportedParameter

_RESERVED_KWARGS = frozenset(
    {"messages", "tools", "add_generation_prompt", "continue_final_message", "tokenize", "chat_template"}
)

_GENERATION_TAG = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")
_JINJA = Environment(extensions=["jinja2.ext.loopcontrols"])  # noqa: S701 - parses templates, renders none


class ChatTokenizer(Protocol):
    """What rendering needs of a transformers tokenizer."""

    chat_template: str | None

    def apply_chat_template(self, conversation: list[dict[str, Any]], **kwargs: Any) -> Any:
        """The rendered prompt."""
        ...

    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, list[int]]:
        """The text's token ids under "input_ids"."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt as the model sees it. `text` is None for a prompt given as token ids."""

    ids: tuple[int, ...]
    text: str | None


def template_knows_tools(tokenizer: ChatTokenizer) -> bool:
    """True when the model's own chat template renders tools."""
    return "tools" in (tokenizer.chat_template or "")


def render(prompt: Prompt, tokenizer: ChatTokenizer) -> Rendered:
    """The prompt's text and token ids.

    Raises: InvalidRequest naming the field when the model's template refuses the messages.
    """
    if isinstance(prompt, ChatPrompt):
        text = render_chat(prompt, tokenizer)
        return Rendered(tuple(tokenizer(text, add_special_tokens=False)["input_ids"]), text)
    if isinstance(prompt, TextPrompt):
        ids = tokenizer(prompt.text, add_special_tokens=prompt.add_special_tokens)["input_ids"]
        return Rendered(tuple(ids), prompt.text)
    return Rendered(prompt.ids, None)


@lru_cache(maxsize=32)
def variables_read(chat_template: str) -> frozenset[str]:
    """The names a chat template takes from outside."""
    # transformers' own tag, which marks the assistant's text for training, reads nothing.
    plain = _GENERATION_TAG.sub("", chat_template)
    return frozenset(find_undeclared_variables(_JINJA.parse(plain)))


def render_chat(prompt: ChatPrompt, tokenizer: ChatTokenizer) -> str:
    """The messages through the model's own chat template.

    Raises: InvalidRequest when it has none, when a keyword is reserved, or when it refuses the messages.
    """
    if tokenizer.chat_template is None:
        raise InvalidRequest(
            "This model has no chat template. Use /completions with a plain prompt.", param="messages"
        )
    for name in prompt.template_kwargs:
        if name in _RESERVED_KWARGS:
            raise InvalidRequest(
                f"chat_template_kwargs may not set {name!r}: it has a field of its own.",
                param="chat_template_kwargs",
            )
        if name not in variables_read(tokenizer.chat_template):
            raise UnsupportedParameter(
                f"This model's chat template does not read {name!r}: setting it would change nothing.",
                param="reasoning_effort" if name == "reasoning_effort" else "chat_template_kwargs",
            )
    if prompt.continue_final_message and (
        not prompt.messages or prompt.messages[-1].role is not Role.ASSISTANT
    ):
        raise InvalidRequest(
            "continue_final_message needs an assistant message at the end.", param="continue_final_message"
        )
    try:
        rendered = tokenizer.apply_chat_template(
            [as_template_message(message) for message in prompt.messages],
            tools=_template_tools(prompt) if template_knows_tools(tokenizer) else None,
            add_generation_prompt=prompt.add_generation_prompt and not prompt.continue_final_message,
            continue_final_message=prompt.continue_final_message,
            tokenize=False,
            **prompt.template_kwargs,
        )
    except (TemplateError, ValueError, TypeError, KeyError) as failure:
        # The template's own words may quote the messages; only its kind is passed on.
        raise InvalidRequest(
            "This model's chat template does not accept these messages (often: roles must alternate, or a system "
            f"message is not allowed). {type(failure).__name__}.",
            param="messages",
        ) from None
    return str(rendered)


def as_template_message(message: Message) -> dict[str, Any]:
    """A message as chat templates expect it."""
    made: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.name is not None:
        made["name"] = message.name
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    if message.reasoning is not None:
        made["reasoning_content"] = message.reasoning
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return made


def _arguments(text: str) -> Any:
    """Tool-call arguments as the object templates expect, or the text itself when it is no JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def _template_tools(prompt: ChatPrompt) -> Sequence[dict[str, Any]] | None:
    if not prompt.tools:
        return None
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in prompt.tools
    ]

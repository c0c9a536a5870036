"""What a request may carry beyond the sliders: an output schema, tools, log-probabilities, raw settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Annotated, Any

import gradio as gr
from jsonschema import Draft202012Validator, SchemaError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workbench.core.chat import OutputFormat, Tool
from workbench.core.errors import InvalidRequest
from workbench.ui.markup import markup
from workbench.ui.params.raw_settings import RawSettings, raw_summary, read_raw

ALTERNATIVES = 5
"""How many of the likeliest tokens come with every token when log-probabilities are asked for."""

_EXAMPLE = '<button type="button" class="wb-text-button" data-wb-example>Fill in this example</button>'
"""Puts the box's placeholder into it (js/panel.js)."""
SCHEMA_EXAMPLE = '{"type": "object",\n "properties": {"city": {"type": "string"}},\n "required": ["city"]}'
RAW_EXAMPLE = '{"seed": 7,\n "min_p": 0.05,\n "logit_bias": {"198": -100}}'
TOOLS_EXAMPLE = (
    '[{"name": "get_weather",\n  "description": "The weather in a city at this moment",\n'
    '  "parameters": {"type": "object",\n    "properties": {"city": {"type": "string"}},\n    "required": ["city"]}}]'
)


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """The components; a mark under each box says whether what was typed is valid."""

    schema: gr.Textbox
    tools: gr.Textbox
    has_logprobs: gr.Checkbox
    raw: gr.Textbox

    @property
    def inputs(self) -> list[gr.Component]:
        """What an event must be given for `read_options`."""
        return [self.schema, self.tools, self.has_logprobs, self.raw]


@dataclass(frozen=True, slots=True)
class Options:
    """What they say; None and () where nothing is asked."""

    output_format: OutputFormat | None = None
    tools: tuple[Tool, ...] = ()
    logprobs: int | None = None
    raw: RawSettings = field(default_factory=RawSettings)


def build_request_options(prefix: str) -> RequestOptions:
    """Three folded drawers and a switch."""
    schema = _drawer(
        "JSON Schema",
        "The answer is JSON of this schema",
        SCHEMA_EXAMPLE,
        f"{prefix}-schema",
        schema_mark_html,
    )
    tools = _drawer(
        "Tools", "Functions the model may call", TOOLS_EXAMPLE, f"{prefix}-tools", tools_mark_html
    )
    has_logprobs = gr.Checkbox(
        False, label="Token probabilities", container=False, elem_id=f"{prefix}-logprobs", elem_classes="wb-switch",
    )  # fmt: skip
    raw = _drawer(
        "Raw JSON", "Any parameter, beside or over the sliders", RAW_EXAMPLE, f"{prefix}-raw", raw_mark_html
    )
    return RequestOptions(schema, tools, has_logprobs, raw)


def _drawer(title: str, label: str, example: str, element: str, check: Callable[[str], str]) -> gr.Textbox:
    """A folded box for JSON, with a mark that `check` writes while somebody types, and an example while it is empty."""
    with gr.Accordion(title, open=False, elem_classes="wb-drawer", elem_id=f"{element}-drawer"):
        box = gr.Textbox(
            label=label, placeholder=example, lines=4, max_lines=4, elem_id=element,
            elem_classes=["wb-field", "wb-mono"],
        )  # fmt: skip
        mark = markup(check(""))
    box.change(
        check, [box], [mark], show_progress="hidden", api_visibility="private", trigger_mode="always_last"
    )
    return box


def read_options(values: Sequence[Any]) -> Options:
    """The values of `RequestOptions.inputs`, checked. Raises: InvalidRequest naming the drawer at fault."""
    schema, tools, has_logprobs, raw = values
    return Options(
        read_schema(schema or ""),
        read_tools(tools or ""),
        ALTERNATIVES if has_logprobs else None,
        read_raw(raw or ""),
    )


def read_schema(text: str) -> OutputFormat | None:
    """The schema that was typed; None for nothing. Raises: InvalidRequest saying what is wrong with it."""
    if not text.strip():
        return None
    schema = _json(text, "JSON Schema", "response_format")
    if not isinstance(schema, Mapping):
        raise InvalidRequest("JSON Schema: it must be an object, {…}.", param="response_format")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as failure:
        place = "/".join(str(part) for part in failure.absolute_path) or "the top"
        raise InvalidRequest(
            f"JSON Schema: at {place}, {failure.message}.", param="response_format"
        ) from None
    return OutputFormat(schema)


class _Function(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None


_FUNCTIONS = TypeAdapter(list[_Function])


def read_tools(text: str) -> tuple[Tool, ...]:
    """The functions that were typed, bare or as OpenAI's `tools`. Raises: InvalidRequest saying what is wrong."""
    if not text.strip():
        return ()
    entries = _json(text, "Tools", "tools")
    if not isinstance(entries, list):
        raise InvalidRequest("Tools: it must be a list, [{…}].", param="tools")
    bare = [entry.get("function", entry) if isinstance(entry, dict) else entry for entry in entries]
    try:
        functions = _FUNCTIONS.validate_python(bare)
    except ValidationError as failure:
        first = failure.errors()[0]
        place = " ".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise InvalidRequest(f"Tools: function {place}: {first['msg']}.", param="tools") from None
    return tuple(
        Tool(function.name, function.description, function.parameters, bool(function.strict))
        for function in functions
    )


def _json(text: str, title: str, param: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as failure:
        message = f"{title}: line {failure.lineno}, column {failure.colno}: {failure.msg}."
        raise InvalidRequest(message, param=param) from None


def schema_mark_html(text: str) -> str:
    """Whether the schema can be used, while it is typed."""
    try:
        return _mark("" if read_schema(text) is None else "A valid schema")
    except InvalidRequest as failure:
        return _mark(failure.message, is_valid=False)


def tools_mark_html(text: str) -> str:
    """Whether the tools can be used, while they are typed."""
    try:
        names = ", ".join(tool.name for tool in read_tools(text))
    except InvalidRequest as failure:
        return _mark(failure.message, is_valid=False)
    return _mark(f"May call {names}" if names else "")


def raw_mark_html(text: str) -> str:
    """Whether the settings can be used, while they are typed."""
    try:
        return _mark(raw_summary(text))
    except InvalidRequest as failure:
        return _mark(failure.message, is_valid=False)


def _mark(text: str, *, is_valid: bool = True) -> str:
    kind = "wb-valid" if is_valid else "wb-invalid"
    return f'<p class="wb-mark {kind}" role="status">{escape(text)}</p>' if text else _EXAMPLE


def schema_fault(answer: str, output_format: OutputFormat) -> str:
    """What is wrong with the answer by its schema; "" when it is valid."""
    try:
        value = json.loads(answer)
    except json.JSONDecodeError:
        return "it is not JSON"
    if output_format.schema is None:
        return "" if isinstance(value, dict) else "it is not an object"
    fault = next(Draft202012Validator(output_format.schema).iter_errors(value), None)
    if fault is None:
        return ""
    place = "/".join(str(part) for part in fault.absolute_path) or "the top"
    return f"at {place}: {fault.message}"

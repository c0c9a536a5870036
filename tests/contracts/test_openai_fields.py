"""Every field of OpenAI's requests is known here: declared as honoured, accepted in its usual value, or refused."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from openai.types import completion_create_params as text
from openai.types.chat import completion_create_params as chat
from pydantic import BaseModel

from workbench.api.schemas.chat import ChatBody
from workbench.api.schemas.completions import CompletionBody
from workbench.core.params import PARAM_NAMES


@pytest.mark.parametrize(
    ("params", "schema"),
    [
        (chat.CompletionCreateParamsStreaming, ChatBody),
        (text.CompletionCreateParamsStreaming, CompletionBody),
    ],
)
def test_every_field_of_openai_is_declared(params: type, schema: type[BaseModel]) -> None:
    missing = set(get_type_hints(params)) - set(schema.model_fields)
    assert not missing


@pytest.mark.parametrize("schema", [ChatBody, CompletionBody])
def test_every_parameter_of_the_table_is_a_field_of_both_routes(schema: type[BaseModel]) -> None:
    assert set(PARAM_NAMES) <= set(schema.model_fields)

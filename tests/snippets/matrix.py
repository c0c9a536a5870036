"""Every language with every client, and requests as the API reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snippets import LANGUAGES
from workbench.core.chat import ChatPrompt, GenerationRequest, ToolChoice, ToolChoiceMode

CLIENTS = [(language.name, client.name) for language in LANGUAGES.values() for client in language.clients]
LIBRARIES = [pair for pair in CLIENTS if pair != ("curl", "curl")]
"""The clients that print the answer's text; curl prints what the API sends."""

each_client = pytest.mark.parametrize(("language", "client"), CLIENTS, ids=map("-".join, CLIENTS))
each_library = pytest.mark.parametrize(("language", "client"), LIBRARIES, ids=map("-".join, LIBRARIES))


def as_the_api_reads_it(generation: GenerationRequest) -> GenerationRequest:
    """`generation` with the tool choice none where there are no tools, in which case auto means the same."""
    if not isinstance(generation.prompt, ChatPrompt) or generation.prompt.tools:
        return generation
    return replace(generation, prompt=replace(generation.prompt, tool_choice=ToolChoice(ToolChoiceMode.NONE)))

"""What every snippet shows, in every language and through every client."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from snippets import LANGUAGES, SnippetRequest, render
from snippets.examples import BASE_URL, EXAMPLES, MODEL
from tests.snippets.matrix import each_client
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Prompt, Role, TextPrompt
from workbench.core.params import PARAM_NAMES, GenerationParams

PROMPTS: dict[str, Prompt] = {
    "chat": ChatPrompt((Message(Role.USER, "Hello"),)),
    "completion": TextPrompt("Hello"),
}
SETTINGS = EXAMPLES["chat-every-parameter"].generation.params.set_fields()
"""A value for each parameter of the table, false ones among them."""


def code_of(request: SnippetRequest, language: str, client: str) -> str:
    return render(request, language, client).code


def test_the_example_of_every_parameter_covers_the_table() -> None:
    assert tuple(SETTINGS) == PARAM_NAMES


@pytest.mark.parametrize("name", PARAM_NAMES)
@pytest.mark.parametrize("prompt", PROMPTS)
@each_client
def test_a_parameter_shows_when_it_is_set_and_only_then(
    name: str, prompt: str, language: str, client: str
) -> None:
    bare = GenerationRequest(MODEL, PROMPTS[prompt])
    given = replace(bare, params=GenerationParams(**{name: SETTINGS[name]}))
    shown = re.compile(rf"\b{name}\b")
    assert shown.search(code_of(SnippetRequest(given, BASE_URL), language, client))
    assert not shown.search(code_of(SnippetRequest(bare, BASE_URL), language, client))


@pytest.mark.parametrize("example", EXAMPLES)
@each_client
def test_the_key_is_read_from_our_own_variable(example: str, language: str, client: str) -> None:
    code = code_of(EXAMPLES[example], language, client)
    assert "OPENAI_API_KEY" not in code
    assert ("WORKBENCH_API_KEY" in code) is (EXAMPLES[example].key is None)
    assert ("wb-" in code) is (EXAMPLES[example].key is not None)


def test_a_request_does_not_print_its_key() -> None:
    assert "wb-" not in repr(EXAMPLES["chat-inserted-key"])


@each_client
def test_a_trailing_slash_of_the_base_url_changes_nothing(language: str, client: str) -> None:
    request = EXAMPLES["chat"]
    slashed = replace(request, base_url=request.base_url + "/")
    assert code_of(slashed, language, client) == code_of(request, language, client)


@each_client
def test_a_snippet_says_how_it_is_kept_and_shown(language: str, client: str) -> None:
    spec = LANGUAGES[language]
    snippet = render(EXAMPLES["chat"], language, client)
    assert snippet.file_name == f"chat.{spec.suffix}"
    assert snippet.editor_language == spec.editor_language
    assert snippet.install_line == spec.client(client).install_line
    assert snippet.code.endswith("\n")
    assert not snippet.code.endswith("\n\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_client_is_the_default(language: str) -> None:
    assert render(EXAMPLES["chat"], language) == render(
        EXAMPLES["chat"], language, LANGUAGES[language].clients[0].name
    )


def test_a_shell_that_is_pasted_into_meets_no_comment() -> None:
    for request in EXAMPLES.values():
        code = render(request, "curl").code
        assert not re.search(r"^\s*#", code, re.MULTILINE)


def test_an_unknown_language_or_client_is_an_error() -> None:
    with pytest.raises(KeyError):
        render(EXAMPLES["chat"], "cobol")
    with pytest.raises(KeyError):
        render(EXAMPLES["chat"], "python", "requests")

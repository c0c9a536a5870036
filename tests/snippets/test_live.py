"""Every snippet runs against the real API: the backend is asked the very request the snippet was made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from snippets import LANGUAGES, SnippetRequest, render
from snippets.examples import EXAMPLES, HOSTILE_TEXT
from tests.guard.fakes import FakeGuard, replace_embedded, user
from tests.sites import LiveServer, serve_live
from tests.snippets.matrix import as_the_api_reads_it, each_client, each_library
from tests.snippets.programs import Programs, Run
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.chat import ChatPrompt, GenerationRequest, TextPrompt, ToolCall

FIRST = {
    "chat",
    "chat-stream",
    "chat-hostile",
    "chat-every-parameter",
    "chat-conversation",
    "chat-tools-stream",
    "completion-stream",
    "completion-hostile",
    "completion-scored",
    "chat-moderation-stream",
    "guarded-chat",
    "guarded-completion",
}
"""The examples between whose fields all others lie; the rest run with the slow tests."""


def _answer(request: GenerationRequest) -> Script:
    has_tools = isinstance(request.prompt, ChatPrompt) and request.prompt.tools != ()
    calls = (ToolCall("call_9", "get_weather", '{"city": "Oslo"}'),) if has_tools else ()
    return Script(HOSTILE_TEXT, tool_calls=calls)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_live(tmp_path_factory.mktemp("home"), ScriptedBackend(answer=_answer)) as server,
    ):
        replace_embedded(patch, FakeGuard(name="embedded"))
        yield server


def run(programs: Programs, live: LiveServer, request: SnippetRequest, language: str, client: str) -> Run:
    """The outcome of the snippet for `request`, sent to the live server with its key."""
    live.backend.calls.clear()
    key = None if request.key is None else live.api_key
    code = render(replace(request, base_url=live.base_url, key=key), language, client).code
    return programs.run(code, LANGUAGES[language].suffix, WORKBENCH_API_KEY=live.api_key)


def example_for(live: LiveServer, name: str) -> SnippetRequest:
    """The example, for the model and the guard that the live server has."""
    request = EXAMPLES[name]
    guard = None if request.guard is None else "embedded"
    return replace(request, generation=replace(request.generation, model=live.model), guard=guard)


@pytest.mark.parametrize(
    "example", [pytest.param(name, marks=[] if name in FIRST else pytest.mark.slow) for name in EXAMPLES]
)
@each_client
def test_the_backend_is_asked_what_the_snippet_says(
    programs: Programs, live: LiveServer, example: str, language: str, client: str
) -> None:
    request = example_for(live, example)
    outcome = run(programs, live, request, language, client)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert [call.request for call in live.backend.calls] == [as_the_api_reads_it(request.generation)]


@pytest.mark.parametrize("example", ["chat", "chat-stream", "completion-stream"])
@each_library
def test_the_models_answer_is_printed_as_it_is(
    programs: Programs, live: LiveServer, example: str, language: str, client: str
) -> None:
    outcome = run(programs, live, example_for(live, example), language, client)
    assert outcome.stdout == HOSTILE_TEXT + "\n"


@pytest.mark.parametrize("example", ["guarded-chat", "guarded-completion"])
@each_client
def test_what_the_guard_flags_never_reaches_the_model(
    programs: Programs, live: LiveServer, example: str, language: str, client: str
) -> None:
    request = example_for(live, example)
    prompt = (
        ChatPrompt((user("a bomb"),))
        if isinstance(request.generation.prompt, ChatPrompt)
        else TextPrompt("a bomb")
    )
    outcome = run(
        programs,
        live,
        replace(request, generation=replace(request.generation, prompt=prompt)),
        language,
        client,
    )
    assert outcome.exit_code != 0
    assert "illicit/violent" in outcome.stdout + outcome.stderr
    assert live.backend.calls == []


@each_client
def test_the_apis_error_is_shown(programs: Programs, live: LiveServer, language: str, client: str) -> None:
    outcome = run(programs, live, EXAMPLES["chat"], language, client)
    assert outcome.exit_code != 0
    assert "does not exist or you do not have access to it" in outcome.stdout + outcome.stderr

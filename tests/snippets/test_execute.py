"""Every snippet runs: the server receives exactly the stated body, the reader sees the answer or the error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest

from snippets import LANGUAGES, SnippetRequest, render, wire_body
from snippets.examples import EXAMPLES, HOSTILE_TEXT
from tests.snippets.matrix import each_client, each_library
from tests.snippets.programs import KEY, Programs, Run
from tests.snippets.recorder import Call, Recorder


def run(
    programs: Programs,
    recorder: Recorder,
    request: SnippetRequest,
    language: str,
    client: str,
    **environment: str,
) -> Run:
    """The outcome of the snippet for `request`, sent to the recorder."""
    code = render(replace(request, base_url=recorder.base_url), language, client).code
    return programs.run(code, LANGUAGES[language].suffix, **environment)


def canonical(value: Any) -> str:
    """JSON in which 1 and 1.0 are the same, but not 1 and true."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def checked_text(request: SnippetRequest) -> str:
    """What a guarded pipeline has to check before it generates: the last words of the user."""
    body: dict[str, Any] = wire_body(request)
    if "prompt" in body:
        return str(body["prompt"])
    return str([message["content"] for message in body["messages"] if message["role"] == "user"][-1])


class Exchange(NamedTuple):
    """What passed between a snippet and the server, and how the snippet ended."""

    calls: list[Call]
    run: Run


@pytest.fixture(scope="session")
def exchange(programs: Programs, recorder_of_session: Recorder) -> Callable[[str, str, str], Exchange]:
    """Runs an example once for all tests that look at it; every answer is the hostile text."""

    @cache
    def run_once(example: str, language: str, client: str) -> Exchange:
        recorder_of_session.reset()
        recorder_of_session.answer = HOSTILE_TEXT
        outcome = run(programs, recorder_of_session, EXAMPLES[example], language, client)
        return Exchange(recorder_of_session.calls, outcome)

    return run_once


RunOnce = Callable[[str, str, str], Exchange]


@pytest.mark.parametrize("example", EXAMPLES)
@each_client
def test_the_api_receives_exactly_the_wire_body(
    exchange: RunOnce, example: str, language: str, client: str
) -> None:
    request = EXAMPLES[example]
    calls, outcome = exchange(example, language, client)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    bodies = [canonical(call.body) for call in calls if call.route != "moderations"]
    assert bodies == [canonical(wire_body(request))]
    assert {call.content_type for call in calls} == {"application/json"}
    assert {call.authorization for call in calls} == {f"Bearer {request.key or KEY}"}


@pytest.mark.parametrize("example", [name for name, request in EXAMPLES.items() if request.is_guarded])
@each_client
def test_a_guarded_pipeline_checks_the_users_words_and_every_answer(
    exchange: RunOnce, example: str, language: str, client: str
) -> None:
    request = EXAMPLES[example]
    before, generation, after = exchange(example, language, client).calls
    assert (before.route, generation.route, after.route) == (
        "moderations",
        request.endpoint.value,
        "moderations",
    )
    guard = {} if request.guard is None else {"model": request.guard}
    assert before.body == {**guard, "input": checked_text(request)}
    texts = after.body.pop("input")
    assert after.body == guard
    assert texts.count(HOSTILE_TEXT) == request.generation.n
    called = [text for text in texts if text.replace(" ", "") == 'get_weather{"city":"Oslo"}']
    assert len(called) == (request.generation.n if "tools" in generation.body else 0)


@each_library
@pytest.mark.parametrize(
    "example",
    ["chat", "chat-stream", "completion", "completion-stream", "guarded-chat", "guarded-chat-stream"],
)
def test_the_answer_is_printed_as_it_is(exchange: RunOnce, example: str, language: str, client: str) -> None:
    assert exchange(example, language, client).run.stdout == HOSTILE_TEXT + "\n"


@each_library
@pytest.mark.parametrize("example", ["chat-choices-stream", "chat-every-parameter", "completion-best"])
def test_every_choice_is_printed(exchange: RunOnce, example: str, language: str, client: str) -> None:
    assert exchange(example, language, client).run.stdout.endswith(f"{HOSTILE_TEXT}\n\n{HOSTILE_TEXT}\n")


@each_library
@pytest.mark.parametrize("example", ["chat-tools", "chat-tools-stream", "guarded-chat-tools"])
def test_tool_calls_are_printed(exchange: RunOnce, example: str, language: str, client: str) -> None:
    printed = exchange(example, language, client).run.stdout.replace(" ", "")
    assert printed.count('get_weather{"city":"Oslo"}') == EXAMPLES[example].generation.n


@each_library
@pytest.mark.parametrize(
    ("example", "report"),
    [
        ("chat-moderation", "0.0625"),
        ("chat-moderation-stream", "0.0625"),
        ("completion-moderation", "0.0625"),
        ("chat-every-parameter", "0.125"),
        ("chat-choices-stream", "0.125"),
    ],
)
def test_what_the_answer_reports_is_printed(
    exchange: RunOnce, example: str, report: str, language: str, client: str
) -> None:
    assert report in exchange(example, language, client).run.stdout


@pytest.mark.parametrize("example", ["chat", "completion", "chat-stream", "guarded-chat"])
def test_curl_prints_what_the_api_answers(exchange: RunOnce, example: str) -> None:
    printed = exchange(example, "curl", "curl").run.stdout
    if EXAMPLES[example].is_streamed:
        assert printed.endswith("data: [DONE]\r\n\r\n")
    else:
        choice = json.loads(printed)["choices"][0]
        assert choice.get("text", choice.get("message", {}).get("content")) == HOSTILE_TEXT


@each_client
@pytest.mark.parametrize("example", ["chat", "chat-stream", "guarded-chat", "guarded-chat-stream"])
def test_an_error_of_the_api_is_shown(
    programs: Programs, recorder: Recorder, example: str, language: str, client: str
) -> None:
    recorder.error_status = 400
    outcome = run(programs, recorder, EXAMPLES[example], language, client)
    assert outcome.exit_code != 0
    assert "The recorder was told to fail." in outcome.stderr + outcome.stdout
    assert recorder.routes.count("chat/completions") == 1


@each_library
@pytest.mark.parametrize("example", ["chat-stream", "guarded-chat-stream"])
def test_an_error_in_the_middle_of_a_stream_is_shown(
    programs: Programs, recorder: Recorder, example: str, language: str, client: str
) -> None:
    recorder.fails_midway = True
    outcome = run(programs, recorder, EXAMPLES[example], language, client)
    assert outcome.exit_code != 0
    assert "The recorder was told to fail." in outcome.stderr


@each_client
def test_an_input_that_is_flagged_never_reaches_the_model(
    programs: Programs, recorder: Recorder, language: str, client: str
) -> None:
    request = EXAMPLES["guarded-chat"]
    recorder.flagged = frozenset({checked_text(request)})
    outcome = run(programs, recorder, request, language, client)
    assert outcome.exit_code != 0
    assert recorder.routes == ["moderations"]
    assert "violence" in outcome.stderr


@each_client
@pytest.mark.parametrize("example", ["guarded-chat", "guarded-chat-stream", "guarded-completion"])
def test_an_answer_that_is_flagged_is_not_shown(
    programs: Programs, recorder: Recorder, example: str, language: str, client: str
) -> None:
    recorder.answer = "A recipe."
    recorder.flagged = frozenset({recorder.answer})
    outcome = run(programs, recorder, EXAMPLES[example], language, client)
    assert outcome.exit_code != 0
    assert "A recipe." not in outcome.stdout + outcome.stderr


@each_client
def test_a_guarded_pipeline_whose_stream_breaks_shows_nothing(
    programs: Programs, recorder: Recorder, language: str, client: str
) -> None:
    recorder.fails_midway = True
    outcome = run(programs, recorder, EXAMPLES["guarded-chat-stream"], language, client)
    assert outcome.exit_code != 0
    assert outcome.stdout == ""


@each_client
@pytest.mark.parametrize("example", ["chat", "guarded-chat"])
def test_without_a_key_nobody_elses_is_sent(
    programs: Programs, recorder: Recorder, example: str, language: str, client: str
) -> None:
    run(
        programs,
        recorder,
        EXAMPLES[example],
        language,
        client,
        WORKBENCH_API_KEY="",
        OPENAI_ADMIN_KEY="sk-admin",
    )
    assert not [call for call in recorder.calls if "sk-" in call.authorization]

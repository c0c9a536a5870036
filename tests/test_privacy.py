"""A word sent by every way there is, right and wrong, through API and page, is found nowhere afterwards."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import WITH_PAGE, serving, value

CANARY = "xyzzy-canary"
MODEL = "scripted/model"
EVENT_SECONDS = 1.0
PATIENCE_SECONDS = 240.0
ENDINGS = ("close_stream", "process_completed")
MESSAGE = {"role": "user", "content": CANARY}
TOOL = {"type": "function", "function": {"name": CANARY, "parameters": {"title": CANARY, "type": CANARY}}}
SCHEMA = {"name": CANARY, "schema": {"type": "object", "properties": {CANARY: {"type": CANARY}}}}

CHATS: list[dict[str, object]] = [
    {"messages": [MESSAGE]},
    {"messages": [MESSAGE], "stream": True},
    {"messages": [MESSAGE], "model": CANARY},
    {"messages": [MESSAGE], CANARY: 1},
    {"messages": [MESSAGE], "stop": [CANARY, 5]},
    {"messages": [MESSAGE], "stop": CANARY, "user": CANARY, "metadata": {CANARY: CANARY}},
    {"messages": [{"role": CANARY}]},
    {"messages": [{"role": "user", "content": [{"type": CANARY}]}]},
    {"messages": [{"role": "tool", "content": CANARY, "tool_call_id": CANARY}]},
    {"messages": [MESSAGE], "tools": [TOOL]},
    {
        "messages": [MESSAGE],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": CANARY}},
    },
    {"messages": [MESSAGE], "response_format": {"type": "json_schema", "json_schema": SCHEMA}},
    {"messages": [MESSAGE], "response_format": {"type": CANARY}},
    {"messages": [MESSAGE], "logit_bias": {CANARY: 1}},
    {"messages": [MESSAGE], "chat_template_kwargs": {CANARY: CANARY}},
    {"messages": [MESSAGE], "moderation": {"model": CANARY}},
    {"messages": [MESSAGE], "temperature": CANARY},
    {"messages": [{"role": "user", "content": f"{CANARY} " * 9000}]},
]
OTHERS: list[tuple[str, dict[str, object]]] = [
    ("completions", {"prompt": [CANARY, CANARY]}),
    ("completions", {"prompt": CANARY, "suffix": CANARY}),
    ("tokenize", {"prompt": CANARY}),
    ("moderations", {"input": CANARY, "model": CANARY}),
]


def _use_the_api(client: httpx.Client) -> None:
    sent = [("chat/completions", body) for body in CHATS] + OTHERS
    for route, body in sent:
        answer = client.post(f"/openai/v1/{route}", json={"model": MODEL, **body})
        assert answer.status_code < 500, (route, list(body))
    for raw in (f'{{"{CANARY}', f'["{CANARY}"]', CANARY):
        assert client.post("/openai/v1/chat/completions", content=raw).status_code == 400
    for path in (
        f"/openai/v1/models/{CANARY}",
        f"/openai/{CANARY}?{CANARY}={CANARY}",
        f"/{CANARY}",
        "/login",
    ):
        assert (
            client.get(path, headers={"user-agent": CANARY, "referer": f"http://x/{CANARY}"}).status_code
            < 500
        )
    wrong = {"authorization": f"Bearer wb-{CANARY}", "cookie": f"workbench_session={CANARY}"}
    assert client.get("/openai/v1/models", headers=wrong).status_code == 401
    assert client.get("/health/live", headers={"host": f"{CANARY}.example"}).status_code == 403


def _inputs(component: dict[str, Any]) -> Iterator[object]:
    """What may be sent for a component: the word as text, as a list, and where a file is wanted as a name of one."""
    yield CANARY
    yield [[CANARY, CANARY]]
    if component["type"] == "file":
        yield {"path": f"/{CANARY}.csv", "orig_name": CANARY, "meta": {"_type": "gradio.FileData"}}


def _use_the_page(page: httpx.Client) -> int:
    """Sends the word as every input of every event; gives the number of events that were answered."""
    assert page.get("/", headers={"accept": "text/html"}).status_code == 200
    uploaded = page.post(
        "/gradio_api/upload", files={"files": (f"{CANARY}.csv", f"prompt\n{CANARY}".encode())}
    )
    assert uploaded.status_code == 200
    assert (
        page.post("/gradio_api/upload", files={"files": (f"{CANARY}.html", CANARY.encode())}).status_code
        == 400
    )
    config = page.get("/config").json()
    components = {component["id"]: component for component in config["components"]}
    answered = 0
    for event in config["dependencies"]:
        for kind in range(3):
            data = []
            for number in event["inputs"]:
                *_, chosen = (
                    sent for _, sent in zip(range(kind + 1), _inputs(components[number]), strict=False)
                )
                data.append(None if components[number]["type"] == "state" else chosen)
            body = {"fn_index": event["id"], "data": data, "session_hash": f"{CANARY}{event['id']}-{kind}"}
            answered += _run(page, body)
    return answered


def _run(page: httpx.Client, body: dict[str, object]) -> int:
    """Runs an event: 1 when it was taken, 0 when it was refused or has no part on the server."""
    joined = page.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return 0
    session = {"session_hash": str(body["session_hash"])}
    with (
        contextlib.suppress(httpx.ReadTimeout),  # some events wait for others: they had what was sent
        page.stream("GET", "/gradio_api/queue/data", params=session, timeout=EVENT_SECONDS) as said,
    ):
        for line in said.iter_lines():
            if line.startswith("data:") and json.loads(line[5:])["msg"] in ENDINGS:
                break
    return 1


@pytest.mark.slow
def test_nothing_of_a_request_is_kept_at_any_level(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    settings: dict[str, Any] = {
        "WORKBENCH_LOG_LEVEL": "DEBUG",
        "TMPDIR": str(temporary),
        "WORKBENCH_GUARD": "off",
    }
    with serving(home, WITH_PAGE, **settings) as server:
        lines = server.lines()
        url, key = value(lines, "Workbench"), value(lines, "API key")
        headers = {"authorization": f"Bearer {key}"}
        with closing(httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)) as client:
            _use_the_api(client)
        with closing(httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)) as page:
            assert _use_the_page(page) > 50
        assert server.process.poll() is None
        _, out, err = server.end()
    assert "/openai/v1/chat/completions" in err
    assert CANARY not in out + err
    assert key not in out + err
    for file in tmp_path.rglob("*"):
        assert CANARY not in file.name
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file

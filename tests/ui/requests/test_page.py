"""The handlers of the Requests page: what a visitor reads after each step."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import ModelCard
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import HubUnreachable
from workbench.core.settings import Settings
from workbench.engine.facts import ModelFacts
from workbench.model_desk import ModelDesk
from workbench.model_requests import RequestDesk
from workbench.store import Store
from workbench.ui.requests.events import ALL, OWN, RequestEvents
from workbench.ui.requests.form import CATEGORIES

BOB = Caller("account:bob", account="bob")
EVE = Caller("account:eve", account="eve")
REQUEST = gr.Request()
VALUES = [
    "Qwen/Qwen3-8B",
    "bob@example.com",
    CATEGORIES[0],
    "high",
    "<b>Tickets</b>",
    "Agents",
    "",
    "",
    "",
    "",
    "",
]


@pytest.fixture
async def desk(tmp_path: Path, settings: Settings) -> AsyncGenerator[RequestDesk, None]:
    async with await Store.open(tmp_path / "workbench.db") as store:
        workbench = scripted_workbench(ScriptedBackend(), settings, store=store)
        yield RequestDesk(workbench, ModelDesk(workbench))


def events(desk: RequestDesk, caller: Caller = BOB) -> RequestEvents:
    return RequestEvents(desk, lambda request: caller)


async def send(desk: RequestDesk, caller: Caller = BOB, **changes: str) -> tuple[Any, ...]:
    values = list(VALUES)
    for place, value in ((0, changes.get("hub_id")), (1, changes.get("email"))):
        if value is not None:
            values[place] = value
    return await events(desk, caller).send(REQUEST, None, *values)


async def test_a_sent_request_is_listed_and_its_words_are_text(desk: RequestDesk) -> None:
    notice, _, hub_id, email, *_ = await send(desk)
    assert "is sent" in notice
    assert (hub_id, email) == ("", gr.skip())
    table, chosen = await events(desk).listed(REQUEST, ALL)
    assert "Qwen/Qwen3-8B" in table
    details, state = await events(desk).read(REQUEST, chosen.value)
    assert "&lt;b&gt;Tickets" in details
    assert (state, "bob@example.com" in details) == ("new", True)


async def test_a_request_that_lacks_something_keeps_what_was_typed(desk: RequestDesk) -> None:
    notice, *values = await send(desk, email="nobody")
    assert "e-mail" in notice
    assert values == [gr.skip()] * 12
    assert "No requests yet" in (await events(desk).listed(REQUEST, ALL))[0]


async def test_a_twin_is_offered_while_the_form_is_written(desk: RequestDesk) -> None:
    await send(desk)
    notice, twin, row = await events(desk, EVE).look_for_twins(REQUEST, "qwen/qwen3-8b", "", "")
    assert "made before" in notice
    assert (row.visible, "bob@example.com" in str(twin.choices)) == (True, False)
    said = await events(desk, EVE).support(REQUEST, twin.value, "eve@example.com")
    assert "Your name is on it" in said
    assert "2 people" in (await events(desk, EVE).listed(REQUEST, ALL))[0]


async def test_nothing_alike_is_nothing_said(desk: RequestDesk) -> None:
    notice, twin, row = await events(desk).look_for_twins(REQUEST, "", "", "")
    assert (notice, twin.choices, row.visible) == ("", [], False)


async def test_a_model_that_is_here_is_pointed_at(desk: RequestDesk) -> None:
    notice, _, _ = await events(desk).look_for_twins(REQUEST, MODEL, "", "")
    assert "is here already" in notice


async def test_a_hint_says_what_is_known_and_what_is_not(
    desk: RequestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "workbench.feasibility.model_facts", lambda card, settings: ModelFacts(10**14, "llama", is_gated=True)
    )
    hint = await events(desk).hint(REQUEST, "some/model")
    for word in ("GiB are free", "llama is one", "HF_TOKEN", "wb-sign-no"):
        assert word in hint

    def unreachable(card: ModelCard, settings: Settings) -> ModelFacts:
        raise HubUnreachable("The hub cannot be reached.")

    monkeypatch.setattr("workbench.feasibility.model_facts", unreachable)
    hint = await events(desk).hint(REQUEST, "some/model")
    assert "Unknown" in hint
    assert "cannot be reached from this server" in hint
    assert await events(desk).hint(REQUEST, " ") == ""


async def test_a_member_sees_no_tools_and_is_refused_by_them(desk: RequestDesk) -> None:
    await send(desk)
    _, chosen, tools, accept = await events(desk).opened(REQUEST, OWN)
    assert (tools.visible, accept.visible) == (False, False)
    for said in (
        (await events(desk).answer(REQUEST, chosen.value, "accepted", ""))[0],
        await events(desk).accept(REQUEST, chosen.value),
        (await events(desk).export(REQUEST))[0],
    ):
        assert "Only an admin" in said


async def test_an_admin_answers_and_exports(desk: RequestDesk) -> None:
    await send(desk)
    admin = events(desk, LOCAL_USER)
    _, chosen, tools, _ = await admin.opened(REQUEST, ALL)
    assert tools.visible
    said, note = await admin.answer(REQUEST, chosen.value, "declined", "The licence forbids it.")
    assert ("declined" in said, note) == (True, "")
    assert "The licence forbids it." in (await events(desk).read(REQUEST, chosen.value))[0]
    _, links = await admin.export(REQUEST)
    assert 'download="requests.csv"' in links
    assert 'download="requests.jsonl"' in links


async def test_nothing_chosen_is_said(desk: RequestDesk) -> None:
    admin = events(desk, LOCAL_USER)
    for said in (await admin.accept(REQUEST, None), (await admin.files(REQUEST, None))[0]):
        assert "Choose a request first" in said
    assert await admin.read(REQUEST, None) == ("", gr.skip())

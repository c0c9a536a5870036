"""Who sees what of a request for a model, who answers it, and how it becomes a model."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import Backend, ModelCard, Progress
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.errors import Forbidden, InvalidRequest, RequestTooLarge, WeightsError
from workbench.core.settings import Settings
from workbench.engine.facts import ModelFacts
from workbench.model_desk import ModelDesk
from workbench.model_requests import MOST_OPEN, RequestDesk, Upload
from workbench.request_export import as_csv, as_jsonl
from workbench.service import Workbench
from workbench.store import RequestForm, RequestState, Store
from workbench.store.attachments import LARGEST_BYTES

ADA = Caller("account:ada", account="ada", is_admin=True)
BOB = Caller("account:bob", account="bob")
EVE = Caller("account:eve", account="eve")
FORM = RequestForm(
    "bob@example.com",
    "A model that is not here",
    "Summaries of tickets",
    hub_id="Qwen/Qwen3-8B",
    use_case="secret plan",
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store, None]:
    async with await Store.open(tmp_path / "workbench.db") as opened:
        yield opened


@pytest.fixture
def broken() -> set[str]:
    """Models that cannot be loaded."""
    return set()


@pytest.fixture
def workbench(
    settings: Settings, store: Store, broken: set[str], monkeypatch: pytest.MonkeyPatch
) -> Workbench:
    def opener(card: ModelCard, progress: Progress) -> Backend:
        if card.id in broken:
            raise WeightsError("no weights")
        return ScriptedBackend()

    monkeypatch.setattr(
        "workbench.feasibility.model_facts", lambda card, settings: ModelFacts(1_000, "llama")
    )
    return scripted_workbench(ScriptedBackend(), settings, opener, store)


@pytest.fixture
def desk(workbench: Workbench) -> RequestDesk:
    return RequestDesk(workbench, ModelDesk(workbench))


async def test_others_see_what_is_asked_for_and_not_by_whom_or_why(desk: RequestDesk) -> None:
    made = await desk.create(BOB, FORM, [Upload("plan.txt", "text/plain", b"x")])
    (seen,) = await desk.list(EVE)
    assert (seen.form.hub_id, seen.form.description) == (FORM.hub_id, FORM.description)
    assert (seen.account, seen.form.email, seen.form.use_case) == ("", "", "")
    details = await desk.details(EVE, made.id)
    assert (details.is_whole, details.attachments, details.request.form.use_case) == (False, (), "")
    for caller in (BOB, ADA):
        whole = await desk.details(caller, made.id)
        assert (whole.request.form, [file.name for file in whole.attachments]) == (FORM, ["plan.txt"])


async def test_a_file_opens_for_its_owner_and_admins_and_only_with_its_request(desk: RequestDesk) -> None:
    made = await desk.create(BOB, FORM, [Upload("plan.txt", "text/plain", b"the plan")])
    other = await desk.create(EVE, FORM)
    (file,) = (await desk.details(BOB, made.id)).attachments
    assert await desk.content(ADA, made.id, file.id) == b"the plan"
    for caller, request_id in ((EVE, made.id), (EVE, other.id)):
        with pytest.raises(Forbidden):
            await desk.content(caller, request_id, file.id)


async def test_a_request_with_a_file_that_is_too_large_is_not_made(desk: RequestDesk) -> None:
    with pytest.raises(RequestTooLarge):
        await desk.create(BOB, FORM, [Upload("big", "text/plain", b"x" * (LARGEST_BYTES + 1))])
    assert await desk.list(BOB) == []


async def test_an_account_cannot_flood_the_list(desk: RequestDesk) -> None:
    for _ in range(MOST_OPEN):
        await desk.create(BOB, FORM)
    with pytest.raises(InvalidRequest, match="wait for an answer"):
        await desk.create(BOB, FORM)
    await desk.create(EVE, FORM)


async def test_a_twin_of_another_account_is_found_without_its_secrets_and_supported(
    desk: RequestDesk,
) -> None:
    made = await desk.create(BOB, FORM)
    (twin,) = await desk.duplicates(EVE, RequestForm("", "", "", hub_id="hf.co/qwen/qwen3-8b"))
    assert (twin.request.id, twin.request.form.email) == (made.id, "")
    with pytest.raises(InvalidRequest, match="e-mail"):
        await desk.support(EVE, made.id, "")
    assert (await desk.support(EVE, made.id, "eve@example.com")).supporters == 1


def test_a_model_of_the_catalogue_needs_no_request(desk: RequestDesk) -> None:
    assert desk.already_here(BOB, f"https://huggingface.co/{MODEL.upper()}") == MODEL
    assert desk.already_here(BOB, "another/model") is None
    assert desk.already_here(BOB, "") is None


async def test_only_an_admin_answers_and_it_is_recorded(desk: RequestDesk, store: Store) -> None:
    made = await desk.create(BOB, FORM)
    for action in (
        desk.answer(BOB, made.id, RequestState.ACCEPTED),
        desk.accept(BOB, made.id),
        desk.export(BOB, as_csv),
    ):
        with pytest.raises(Forbidden):
            await action
    await desk.answer(ADA, made.id, RequestState.DECLINED, "The licence forbids it.")
    details = await desk.details(EVE, made.id)
    assert (details.request.state, [note.text for note in details.notes]) == (
        RequestState.DECLINED,
        ["The licence forbids it."],
    )
    assert [(line.action, line.subject) for line in await store.admin_log.newest()] == [
        ("request.declined", made.id)
    ]


async def state_of(desk: RequestDesk, request_id: str, wanted: str) -> None:
    """Waits until an answer says `wanted`."""
    for _ in range(1_000):
        if wanted in str((await desk.details(ADA, request_id)).notes):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"nobody said {wanted!r}")


async def test_an_accepted_request_becomes_a_model_and_available_once_it_answers(
    desk: RequestDesk, workbench: Workbench
) -> None:
    made = await desk.create(BOB, FORM)
    assert (await desk.accept(ADA, made.id)).state is RequestState.ACCEPTED
    await state_of(desk, made.id, "answers now")
    assert (await desk.details(BOB, made.id)).request.state is RequestState.AVAILABLE
    assert workbench.model("Qwen/Qwen3-8B", BOB).card.source == "Qwen/Qwen3-8B"


async def test_a_model_that_cannot_be_loaded_leaves_its_request_accepted_with_the_reason(
    desk: RequestDesk, broken: set[str]
) -> None:
    broken.add("Qwen/Qwen3-8B")
    made = await desk.create(BOB, FORM)
    await desk.accept(ADA, made.id)
    await state_of(desk, made.id, "could not be loaded")
    assert (await desk.details(BOB, made.id)).request.state is RequestState.ACCEPTED


async def test_a_request_for_a_path_or_for_no_model_cannot_be_accepted(
    desk: RequestDesk, tmp_path: Path
) -> None:
    for hub_id in ("", str(tmp_path), "http://127.0.0.1:1/v1"):
        made = await desk.create(BOB, replace(FORM, hub_id=hub_id))
        with pytest.raises(InvalidRequest):
            await desk.accept(ADA, made.id)
        assert (await desk.details(ADA, made.id)).request.state is RequestState.NEW


async def test_a_hint_asks_for_hub_ids_alone(desk: RequestDesk, tmp_path: Path) -> None:
    assert (await desk.feasibility("Qwen/Qwen3-8B")).facts.parameters == 1_000
    with pytest.raises(InvalidRequest, match="hub id"):
        await desk.feasibility(str(tmp_path))


async def test_an_export_holds_every_part_and_no_formula(desk: RequestDesk) -> None:
    made = await desk.create(BOB, replace(FORM, description="=cmd()", requirements='two, "quoted"\nlines'))
    await desk.support(EVE, made.id, "eve@example.com")
    await desk.answer(LOCAL_USER, made.id, RequestState.ACCEPTED, "Soon.")
    (row,) = csv.DictReader(io.StringIO(await desk.export(ADA, as_csv)))
    assert (row["description"], row["requirements"], row["state"]) == (
        "'=cmd()",
        'two, "quoted"\nlines',
        "accepted",
    )
    (line,) = (json.loads(line) for line in (await desk.export(ADA, as_jsonl)).splitlines())
    assert line["description"] == "=cmd()"
    assert line["supporters"] == [{"account": "eve", "email": "eve@example.com"}]
    assert [note["text"] for note in line["notes"]] == ["Soon."]

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.store.clock import Clock
from workbench.core.errors import InvalidRequest, NotFound, RequestTooLarge
from workbench.store import ModelRequest, Priority, RequestForm, RequestState, Store
from workbench.store.attachments import LARGEST_BYTES, MOST_PER_REQUEST

FORM = RequestForm(
    email="ada@example.com",
    category="text generation",
    description="A model that summarises tickets faithfully",
    priority=Priority.HIGH,
    hub_id="Qwen/Qwen3-8B",
    use_case="Support agents read the summary first",
    requirements="Apache licence, German",
    evaluation_criteria="Faithfulness on 200 tickets",
    current_limitations="The 135M model invents facts",
    expected_concurrency="10 requests a minute with peaks of 50",
    future_plans="A dedicated endpoint above 500 a minute",
)


@pytest.fixture
async def request_of_ada(store: Store) -> ModelRequest:
    return await store.model_requests.create(FORM, "ada")


async def test_every_part_of_a_request_comes_back_as_it_was_given(store: Store, clock: Clock) -> None:
    made = await store.model_requests.create(FORM, "ada")
    assert await store.model_requests.get(made.id) == ModelRequest(
        id=made.id,
        account="ada",
        form=FORM,
        state=RequestState.NEW,
        supporters=0,
        created_at=clock.now,
        changed_at=clock.now,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "ada"),
        ("email", "ada@host"),
        ("email", "a b@example.com"),
        ("email", "@example.com"),
        ("category", " "),
        ("description", ""),
        ("description", "x" * 10_001),
        ("hub_id", "x" * 256),
        ("future_plans", "x" * 10_001),
    ],
)
async def test_a_form_that_cannot_be_kept_is_refused_by_field(store: Store, field: str, value: str) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(InvalidRequest) as refused:
        await store.model_requests.create(replace(FORM, **changes), "ada")
    assert refused.value.param == field
    assert await store.model_requests.list() == []


async def test_requests_are_listed_newest_first_by_state_and_account(store: Store, clock: Clock) -> None:
    first = await store.model_requests.create(FORM, "ada")
    clock.advance(minutes=1)
    second = await store.model_requests.create(FORM, "bob")
    await store.model_requests.answer(first.id, RequestState.DECLINED, author="root")

    assert [one.id for one in await store.model_requests.list()] == [second.id, first.id]
    assert [one.id for one in await store.model_requests.list(state=RequestState.DECLINED)] == [first.id]
    assert [one.id for one in await store.model_requests.list(account="bob")] == [second.id]


async def test_a_request_for_the_same_model_or_in_the_same_words_is_noticed(
    store: Store, request_of_ada: ModelRequest
) -> None:
    same_model = RequestForm("bob@example.com", "chat", "Something else", hub_id="hf.co/qwen/qwen3-8b")
    same_words = replace(FORM, hub_id="", email="bob@example.com")
    neither = RequestForm("bob@example.com", "code", "Completes Rust in our editor", hub_id="a/b")

    for form in (same_model, same_words):
        (found,) = await store.model_requests.duplicates(form)
        assert found.request == request_of_ada
    assert await store.model_requests.duplicates(neither) == []


async def test_a_supporter_is_counted_once_and_who_asked_is_none(
    store: Store, request_of_ada: ModelRequest, clock: Clock
) -> None:
    for account in ("bob", "bob", "ada", "carol"):
        await store.model_requests.support(request_of_ada.id, account, f"{account}@example.com")
        clock.advance(seconds=1)
    assert (await store.model_requests.get(request_of_ada.id)).supporters == 2
    names = [supporter.account for supporter in await store.model_requests.supporters(request_of_ada.id)]
    assert names == ["bob", "carol"]


async def test_an_answer_changes_the_state_and_keeps_its_note(
    store: Store, request_of_ada: ModelRequest, clock: Clock
) -> None:
    clock.advance(days=1)
    await store.model_requests.answer(request_of_ada.id, RequestState.ACCEPTED, author="root", note=" Soon. ")
    answered = await store.model_requests.answer(request_of_ada.id, RequestState.AVAILABLE, author="root")

    assert (answered.state, answered.changed_at) == (RequestState.AVAILABLE, clock.now)
    notes = await store.model_requests.notes(request_of_ada.id)
    assert [(note.author, note.text) for note in notes] == [("root", "Soon.")]


async def test_an_unknown_request_is_named_as_such(store: Store) -> None:
    for action in (
        store.model_requests.get("req_none"),
        store.model_requests.support("req_none", "ada", "ada@example.com"),
        store.model_requests.answer("req_none", RequestState.ACCEPTED, author="root"),
        store.attachments.add("req_none", "a.txt", "text/plain", b""),
    ):
        with pytest.raises(NotFound, match="no request"):
            await action


async def test_a_file_is_kept_with_its_request_under_its_own_name(
    store: Store, request_of_ada: ModelRequest
) -> None:
    content = bytes(range(256))
    kept = await store.attachments.add(request_of_ada.id, "../../C:\\x\\plan.pdf", "application/pdf", content)
    assert await store.attachments.list(request_of_ada.id) == [kept]
    assert (kept.name, kept.size_bytes) == ("plan.pdf", 256)
    assert await store.attachments.content(kept.id) == content


async def test_files_are_bounded_in_size_number_and_name(store: Store, request_of_ada: ModelRequest) -> None:
    with pytest.raises(RequestTooLarge):
        await store.attachments.add(request_of_ada.id, "a", "text/plain", b"x" * (LARGEST_BYTES + 1))
    for name in ("", "/", "..", "x" * 256):
        with pytest.raises(InvalidRequest):
            await store.attachments.add(request_of_ada.id, name, "text/plain", b"")
    for number in range(MOST_PER_REQUEST):
        await store.attachments.add(request_of_ada.id, f"{number}.txt", "text/plain", b"x")
    with pytest.raises(InvalidRequest, match=f"at most {MOST_PER_REQUEST}"):
        await store.attachments.add(request_of_ada.id, "more.txt", "text/plain", b"x")
    with pytest.raises(NotFound):
        await store.attachments.content(999)

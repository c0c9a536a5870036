"""Who may add which models, what is checked before anything is brought, and that it counts at once and for good."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.sites import MODEL, OTHER_MODEL, scripted_workbench
from workbench.backends.added import AddedModels
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import Backend, ModelCard, ModelState, Progress
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import TextPrompt
from workbench.core.errors import Forbidden, HubUnreachable, InvalidRequest, ModelNotFound, WeightsError
from workbench.core.settings import Settings
from workbench.engine.facts import ModelFacts
from workbench.feasibility import Fit
from workbench.model_desk import ModelDesk, ModelWish, hub_id_of
from workbench.service import Workbench

MEMBER = Caller("account:bob", account="bob")
SMALL = ModelFacts(1_000, "llama", download_bytes=4_000)
WISH = ModelWish("some/model", quantization="int8")


class Loader:
    """Loads a scripted model once its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.closed: list[str] = []
        self.has_closed = asyncio.Event()

    def __call__(self, card: ModelCard, progress: Progress) -> Backend:
        assert self.gate.wait(10)
        loader = self

        class Counted(ScriptedBackend):
            async def close(self) -> None:
                loader.closed.append(card.id)
                loader.has_closed.set()

        return Counted()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def workbench(settings: Settings, loader: Loader) -> Workbench:
    return scripted_workbench(ScriptedBackend(), settings, loader)


@pytest.fixture
def desk(workbench: Workbench) -> ModelDesk:
    return ModelDesk(workbench)


@pytest.fixture(autouse=True)
def facts(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModelFacts | Exception]:
    """What is known of each source; a test may change it."""
    known: dict[str, ModelFacts | Exception] = {"some/model": SMALL}

    def model_facts(card: ModelCard, settings: Settings) -> ModelFacts:
        found = known[card.source]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("workbench.feasibility.model_facts", model_facts)
    return known


async def loaded(workbench: Workbench, model: str) -> None:
    await workbench.tokenize(model, TextPrompt("waits until it is there"), LOCAL_USER)


async def test_an_added_model_answers_at_once_and_is_kept(
    desk: ModelDesk, workbench: Workbench, settings: Settings
) -> None:
    made = await desk.add(LOCAL_USER, WISH)
    assert (made.id, made.source, made.quantization) == ("some/model:int8", "some/model", "int8")
    assert made.id in {status.card.id for status in workbench.models(MEMBER)}
    await loaded(workbench, made.id)
    assert workbench.model(made.id, LOCAL_USER).state is ModelState.READY
    assert list(AddedModels(settings.home).cards()) == [made]


async def test_a_member_adds_and_removes_nothing(desk: ModelDesk, workbench: Workbench) -> None:
    for action in (desk.add(MEMBER, WISH), desk.remove(MEMBER, OTHER_MODEL), desk.check(MEMBER, WISH)):
        with pytest.raises(Forbidden):
            await action
    assert len(workbench.models(LOCAL_USER)) == 2


async def test_a_model_that_cannot_run_here_is_refused_before_it_is_brought(
    desk: ModelDesk, facts: dict[str, ModelFacts | Exception], settings: Settings
) -> None:
    for known, reason in (
        (ModelFacts(10**15, "llama"), "GiB of memory"),
        (ModelFacts(1_000, "no-such-architecture"), "no-such-architecture"),
        (ModelFacts(1_000, "llama", download_bytes=10**18), "free on the disk"),
        (HubUnreachable("The hub cannot be reached."), "cannot be reached"),
        (WeightsError("The model is gated: set HF_TOKEN."), "HF_TOKEN"),
    ):
        facts["some/model"] = known
        with pytest.raises((WeightsError, HubUnreachable), match=reason):
            await desk.add(LOCAL_USER, WISH)
    assert AddedModels(settings.home).cards() == ()


async def test_a_gated_model_needs_a_token_that_opens_it(
    desk: ModelDesk, facts: dict[str, ModelFacts | Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_access(card: ModelCard) -> None:
        raise WeightsError("gated: set HF_TOKEN")

    monkeypatch.setattr("workbench.model_desk.check_access", check_access)
    facts["some/model"] = ModelFacts(1_000, "llama", is_gated=True)
    with pytest.raises(WeightsError, match="HF_TOKEN"):
        await desk.check(LOCAL_USER, WISH)


async def test_what_loaded_models_take_counts_as_room(desk: ModelDesk, workbench: Workbench) -> None:
    await loaded(workbench, MODEL)
    found = await desk.check(LOCAL_USER, WISH)
    assert found is not None
    assert (found.fit, found.obstacles, found.is_supported) == (Fit.NOW, (), True)


async def test_an_id_is_taken_once(desk: ModelDesk) -> None:
    await desk.add(LOCAL_USER, WISH)
    with pytest.raises(InvalidRequest, match="already"):
        await desk.add(LOCAL_USER, WISH)


async def test_a_removed_model_is_freed_and_forgotten(
    desk: ModelDesk, workbench: Workbench, loader: Loader, settings: Settings
) -> None:
    made = await desk.add(LOCAL_USER, WISH)
    await loaded(workbench, made.id)
    await desk.remove(LOCAL_USER, made.id)
    with pytest.raises(ModelNotFound):
        workbench.model(made.id, LOCAL_USER)
    assert (loader.closed, AddedModels(settings.home).cards()) == ([made.id], ())


async def test_a_model_removed_while_it_loads_is_freed_when_it_is_there(
    desk: ModelDesk, loader: Loader
) -> None:
    loader.gate.clear()
    made = await desk.add(LOCAL_USER, WISH)
    await desk.remove(LOCAL_USER, made.id)
    assert loader.closed == []
    loader.gate.set()
    async with asyncio.timeout(10):
        await loader.has_closed.wait()
    assert loader.closed == [made.id]


async def test_a_model_of_the_operators_file_is_not_removed_here(desk: ModelDesk) -> None:
    with pytest.raises(InvalidRequest, match=r"models\.toml"):
        await desk.remove(LOCAL_USER, OTHER_MODEL)


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        (ModelWish(""), "source"),
        (ModelWish("/no/such/folder"), "source"),
        (ModelWish("no hub id/x"), "source"),
        (ModelWish("a/b", dtype="float8"), "dtype"),
        (ModelWish("a/b", quantization="int3"), "quantization"),
        (ModelWish("a/b", id="<b>"), "id"),
        (ModelWish("https://host/v1"), "remote_model"),
        (ModelWish("https://", remote_model="x"), "source"),
        (ModelWish("https://host/v1", remote_model="x", api_key_env="sk-123"), "api_key_env"),
    ],
)
def test_a_wish_that_makes_no_sense_names_its_field(wish: ModelWish, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wish.card()
    assert refused.value.param == param


def test_a_folder_a_hub_page_and_an_endpoint_become_cards(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert ModelWish(str(tmp_path / "mine")).card().id == "mine"
    assert ModelWish(" https://huggingface.co/Qwen/Qwen3-8B/tree/main ").card().source == "Qwen/Qwen3-8B"
    far = ModelWish("https://host.example/v1", remote_model="big", api_key_env="BIG_KEY").card()
    assert (far.backend, far.region, far.id, far.api_key_env) == ("remote", "host.example", "big", "BIG_KEY")
    assert not far.trust_remote_code


def test_a_path_is_no_hub_id() -> None:
    assert hub_id_of("hf.co/x") == "hf.co/x"
    for path in ("/etc/passwd", "../x", "~/x", "https://elsewhere.example/a/b", "a/b/c"):
        with pytest.raises(InvalidRequest):
            hub_id_of(path)

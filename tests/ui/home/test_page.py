from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.admission import GateLoad
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import ModelStatus, Pool
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import ModelCard, ModelState
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import Usage
from workbench.core.settings import Settings
from workbench.service import Workbench
from workbench.store import Store
from workbench.store.usage import DayOfUse
from workbench.ui.home.page import home_facts
from workbench.ui.home.view import HomeFacts, home_html

TODAY = date(2026, 5, 20)
NOBODY = GateLoad(0, 0, 0)


def day(back: int, tokens: int) -> DayOfUse:
    return DayOfUse(TODAY - timedelta(days=back), "local", None, MODEL, 1, tokens, 0, tokens / 1e6)


def page(*use: DayOfUse, load: GateLoad = NOBODY, models: tuple[ModelStatus, ...] = ()) -> str:
    return home_html(HomeFacts(models, load, use, (), TODAY))


def test_every_model_is_there_with_its_state_and_price() -> None:
    card = ModelCard("owner/<model>", "x", price_per_million_tokens=0.5)
    html = page(models=(ModelStatus(card, ModelState.LOADING, "reading", 0.4),))
    assert "owner/&lt;model&gt;" in html
    assert "Loading 40%" in html
    assert "0.50 credits per million tokens" in html


def test_the_queue_is_counted() -> None:
    html = page(load=GateLoad(3, 2, 5))
    for figure in ("<dd>3</dd><dt>running", "<dd>2</dd><dt>waiting", "<dd>5</dd><dt>places in use"):
        assert figure in html


def test_use_of_two_weeks_is_summed_and_older_use_is_not() -> None:
    html = page(day(0, 1000), day(13, 500), day(14, 9999))
    assert "<dd>1,500</dd><dt>tokens" in html
    assert "<dd>2</dd><dt>requests" in html
    assert "2026-05-20: 1,000 tokens" in html


def test_no_use_says_what_would_be_there() -> None:
    assert "Nothing yet" in page()


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


async def test_the_facts_are_the_callers_own(
    tmp_path: Path, settings: Settings, backend: ScriptedBackend
) -> None:
    catalogue = Catalogue({MODEL: ModelCard(MODEL, "x", backend="scripted")})
    pool = Pool(catalogue, lambda card, progress: backend)
    async with await Store.open(tmp_path / "workbench.db") as store:
        await store.usage.add(LOCAL_USER, MODEL, Usage(10, 5), 1.0)
        await store.usage.add(Caller(scope="account:else", account="else"), MODEL, Usage(700, 1), 1.0)
        facts = await home_facts(Workbench(settings, catalogue, pool, store), LOCAL_USER)
    assert [entry.prompt_tokens for entry in facts.use] == [10]
    assert facts.today == datetime.now(UTC).date()


async def test_a_server_without_a_store_has_nothing_to_show_of_use(
    settings: Settings, backend: ScriptedBackend
) -> None:
    facts = await home_facts(scripted_workbench(backend, settings), LOCAL_USER)
    assert facts.use == ()
    assert len(facts.models) == 2

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
from workbench.store.experiments import Experiment, ExperimentState
from workbench.store.usage import DayOfUse
from workbench.ui.home.page import home_facts
from workbench.ui.home.view import HomeFacts, home_html

TODAY = date(2026, 5, 20)
NOBODY = GateLoad(0, 0, 0)


def day(back: int, tokens: int, key_id: str | None = None) -> DayOfUse:
    return DayOfUse(TODAY - timedelta(days=back), "local", key_id, MODEL, 1, tokens, 0, tokens / 1e6)


def experiment(verdict: str | None) -> Experiment:
    began = datetime(2026, 5, 19, tzinfo=UTC)
    return Experiment(
        "e1",
        "Small or large",
        "local",
        (MODEL,),
        "hash",
        "/e1",
        ExperimentState.DONE,
        verdict,
        3,
        began,
        began,
    )


def page(
    *use: DayOfUse,
    load: GateLoad = NOBODY,
    models: tuple[ModelStatus, ...] = (),
    experiments: tuple[Experiment, ...] = (),
) -> str:
    return home_html(HomeFacts(models, load, use, experiments, TODAY))


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


def test_the_guide_ticks_what_was_done_and_goes_when_all_is() -> None:
    assert ("Begin here" in page(), page().count("wb-done")) == (True, 0)
    talked = page(day(0, 10))
    assert talked.count("wb-done") == 1
    called = page(day(0, 10), day(0, 10, key_id="k1"))
    assert called.count("wb-done") == 2
    cut_short = page(day(0, 10), day(0, 10, key_id="k1"), experiments=(experiment(None),))
    assert cut_short.count("wb-done") == 2
    assert "Begin here" not in page(
        day(0, 10), day(0, 10, key_id="k1"), experiments=(experiment("not_enough_data"),)
    )


def test_without_experiments_the_first_one_is_a_click_away_and_with_them_their_outcome_is_in_words() -> None:
    assert 'href="#evaluate">Run the quick check' in page()
    assert "not enough data" in page(experiments=(experiment("not_enough_data"),))


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

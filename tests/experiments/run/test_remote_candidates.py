"""A candidate on another server: its own token counts, times of this side, likelihoods by the server's token texts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from evaluators.timing import RequestClass, Side
from evaluators.two_sides import two_sides
from tests.experiments.small import small_experiment
from tests.sites import MODEL, serve_live
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.remote import open_backend
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import ModelCard
from workbench.core.caller import LOCAL_USER
from workbench.core.chat import TokenLogprob
from workbench.core.settings import Settings
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import RequestKind
from workbench.experiments.report.outputs import write_outputs
from workbench.experiments.results.outcome import Results
from workbench.experiments.run.progress import Progress
from workbench.experiments.run.runner import ExperimentRunner
from workbench.experiments.run.service_respondent import ServiceRespondent, length_of_text
from workbench.service import Workbench


def token(text: str) -> TokenLogprob:
    return TokenLogprob(-1, text, text.encode(), -1.0)


@pytest.mark.parametrize(
    ("context", "spelled", "length"),
    [
        ("two words", ["two", " words", " more"], 2),
        ("two words", ["<s>", "two", " words", " more"], 3),
        ("two words", ["two", " wordsm", "ore"], 1),
        ("two words", ["two", " words"], 2),
        ("\n", ["\n", "choice"], 1),
    ],
)
def test_the_context_ends_where_its_text_does(context: str, spelled: list[str], length: int) -> None:
    assert length_of_text(context, [token(text) for text in spelled]) == length


async def run_remote(card: ModelCard, home: Path) -> Results:
    experiment = small_experiment(
        home,
        candidates=[{"model": card.id, "label": "remote"}],
        probes=[
            {"name": "common-sense", "data": "piqa", "evaluator": "multiple_choice", "limit": 3},
            {"name": "own", "data": str(home / "own.jsonl"), "evaluator": "contains"},
        ],
        load={"rate": "20/s", "duration": "0.5s", "output_tokens": 3},
        requirements={},
    )
    settings, catalogue = Settings(home=home), Catalogue({card.id: card})
    pool = Pool(catalogue, lambda card, progress: open_backend(card, settings, progress))
    workbench, folder = Workbench(settings, catalogue, pool), ExperimentFolder(home / "run")

    def ignore(progress: Progress) -> None:
        """Nobody watches."""

    try:
        await ExperimentRunner(experiment, folder, ServiceRespondent(workbench, LOCAL_USER), ignore).run()
    finally:
        await workbench.stop(0)
    return write_outputs(folder, home)


def test_a_remote_candidate_is_asked_judged_and_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_live(tmp_path / "server", ScriptedBackend([Script("Hello one two three")])) as server:
        monkeypatch.setenv("ELSEWHERE_API_KEY", server.api_key)
        card = ModelCard(
            "elsewhere/model", server.base_url, backend="remote", region="elsewhere",
            api_key_env="ELSEWHERE_API_KEY", remote_model=MODEL,
        )  # fmt: skip
        home = tmp_path / "home"
        home.mkdir()
        results = asyncio.run(run_remote(card, home))
    scored = results.score("remote", "common-sense")
    assert scored is not None
    assert scored.summary.failed == 0
    own = results.score("remote", "own")
    assert own is not None
    assert own.summary.estimate is not None
    assert own.summary.estimate.value == 0.5
    loads = [row.timing for row in results.requests if row.kind is RequestKind.LOAD]
    assert {timing.side for timing in loads} == {Side.CLIENT}
    assert {timing.outcome for timing in loads} == {RequestClass.OK}
    assert {timing.output_tokens for timing in loads} == {3}
    both = two_sides(loads)
    assert both is not None
    assert both.requests == len(loads)
    assert both.ttft.difference.p50 is not None
    assert both.ttft.difference.p50 > 0
    assert results.manifest["candidates"]["remote"]["region"] == "elsewhere"
    assert server.api_key not in (home / "run" / "manifest.json").read_text()

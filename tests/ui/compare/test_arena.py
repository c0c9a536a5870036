"""Blind rounds: pairs are drawn fairly, names stay hidden until the vote, votes hold no text."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.sites import MODEL, OTHER_MODEL, scripted_workbench
from tests.store.contents import stored_text
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER
from workbench.core.settings import Settings
from workbench.store import FILE_NAME, Store
from workbench.ui.compare.arena_events import ArenaEvents
from workbench.ui.compare.arena_parts import ArenaPage, build_arena_parts, standings_html
from workbench.ui.compare.arena_round import ArenaSession, Ballot, Choice, draw_pair, standings
from workbench.ui.compare.break_it import TRAPS

REQUEST: Any = None


def test_the_pair_that_met_least_is_drawn_and_sides_are_by_chance() -> None:
    ballots = [Ballot("a", "b", Choice.LEFT), Ballot("c", "a", Choice.TIE)]
    drawn = Counter(draw_pair(["a", "b", "c"], ballots, random.Random(n)) for n in range(400))
    assert set(drawn) == {("b", "c"), ("c", "b")}
    assert 150 < drawn["b", "c"] < 250


@pytest.mark.parametrize("candidates", [[], ["a"], ["a", "a"]])
def test_a_round_needs_two_candidates(candidates: list[str]) -> None:
    with pytest.raises(ValueError, match="two different"):
        draw_pair(candidates, [], random.Random(0))


def test_standings_count_a_tie_as_half_and_leave_others_out() -> None:
    ballots = [
        Ballot("a", "b", Choice.LEFT),
        Ballot("b", "a", Choice.RIGHT),
        Ballot("a", "b", Choice.TIE),
        Ballot("b", "a", Choice.BOTH_BAD),
        Ballot("a", "elsewhere", Choice.RIGHT),
    ]
    first, second = standings(["a", "b"], ballots)
    assert (first.candidate, first.wins, first.losses, first.ties, first.both_bad) == ("a", 2, 0, 1, 1)
    assert first.win_rate.value == 0.75
    assert first.rating.interval is not None
    assert first.rating.interval.low < second.rating.value < first.rating.value
    assert standings(["a", "b"], []) == ()


def test_standings_are_text() -> None:
    html = standings_html(standings(["<a>", "b"], [Ballot("<a>", "b", Choice.LEFT)]))
    assert "&lt;a&gt;" in html
    assert " to " in html


@pytest.fixture
def page() -> ArenaPage:
    with gr.Blocks():
        return build_arena_parts([])


def arena(page: ArenaPage, settings: Settings, store: Store | None) -> ArenaEvents:
    backend = ScriptedBackend([Script("a canary-answer")])
    workbench = scripted_workbench(backend, settings, store=store)
    context: Any = SimpleNamespace(workbench=workbench, caller_of=lambda request: LOCAL_USER)
    return ArenaEvents(page, context, random.Random(1))


async def asked(events: ArenaEvents, session: ArenaSession, models: list[str], question: str) -> list[Any]:
    return [update async for update in events.ask(REQUEST, session, models, question)]


async def test_names_are_hidden_until_the_vote_which_keeps_no_text(
    page: ArenaPage, settings: Settings, tmp_path: Path
) -> None:
    address = tmp_path / FILE_NAME
    async with await Store.open(address) as store:
        events, session = arena(page, settings, store), ArenaSession()
        begun, ended = await asked(events, session, [MODEL, OTHER_MODEL], "a canary-question")
        assert "scripted" not in str([*begun.values(), *ended.values()])
        assert ended[page.answers[0]][1]["content"].strip() == "a canary-answer"
        pair = session.pair
        assert pair is not None
        shown = await events.vote(REQUEST, session, [MODEL, OTHER_MODEL], "left")
        assert pair[0].rpartition("/")[2] in shown[page.names[0]]
        assert pair[1].rpartition("/")[2] in shown[page.names[1]]
        (vote,) = await store.votes.of("local")
        assert (vote.left, vote.right, vote.outcome) == (*pair, "left")
        assert page.names[0] not in await events.vote(REQUEST, session, [MODEL, OTHER_MODEL], "right")
        assert len(await store.votes.of("local")) == 1
    assert "canary" not in await stored_text(str(address))


async def test_a_server_without_a_store_keeps_votes_with_the_page(
    page: ArenaPage, settings: Settings
) -> None:
    events, session = arena(page, settings, None), ArenaSession()
    await asked(events, session, [MODEL, OTHER_MODEL], "Who?")
    shown = await events.vote(REQUEST, session, [MODEL, OTHER_MODEL], "tie")
    assert [ballot.choice for ballot in session.ballots] == [Choice.TIE]
    assert "Standings" in shown[page.standings]


@pytest.mark.parametrize(
    ("models", "question", "said"),
    [([MODEL], "Who?", "two candidates"), ([MODEL, OTHER_MODEL], " ", "question")],
)
async def test_what_is_missing_is_said(
    page: ArenaPage, settings: Settings, models: list[str], question: str, said: str
) -> None:
    session = ArenaSession()
    (update,) = await asked(arena(page, settings, None), session, models, question)
    assert said in update[page.notice]
    assert session.pair is None


def test_there_are_five_traps_and_the_long_one_is_long() -> None:
    assert [trap.name for trap in TRAPS] == ["arithmetic", "json", "refusal", "long-context", "injection"]
    long = next(trap for trap in TRAPS if trap.name == "long-context")
    assert len(long.prompt.split()) > 350
    assert long.prompt.count("telescope") == 2

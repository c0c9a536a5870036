"""What happens in the arena: two answers drawn and hidden, a vote, the names."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import gradio as gr

from workbench.core.caller import Caller
from workbench.core.chat import ChatPrompt, GenerationRequest, Message, Role
from workbench.core.errors import InvalidRequest, Unavailable, WorkbenchError
from workbench.core.params import GenerationParams
from workbench.service import Workbench
from workbench.ui.compare.arena_parts import ArenaPage, name_html, standings_html
from workbench.ui.compare.arena_round import ArenaSession, Ballot, Choice, draw_pair, standings
from workbench.ui.context import PageContext
from workbench.ui.model_menus import all_of
from workbench.ui.notice import Kind, error_notice, notice_html

Updates = dict[Any, Any]
Vote = Callable[[gr.Request, ArenaSession, Sequence[str]], Awaitable[Updates]]
ANSWER_TOKENS = 256
"""The length of an answer that is voted on; one length for all, so that length is not what gives a model away."""
_SIDES = ("Left", "Right")


class ArenaEvents:
    """The handlers of the arena, bound to its components."""

    def __init__(self, page: ArenaPage, context: PageContext, chance: random.Random | None = None) -> None:
        self._page = page
        self._workbench: Workbench = context.workbench
        self._context = context
        self._chance = chance or random.SystemRandom()

    async def ask(
        self, request: gr.Request, session: ArenaSession, models: Sequence[str], question: str
    ) -> AsyncGenerator[Updates, None]:
        """Both answers of a new pair, shown together when both have ended: who is first would tell who it is."""
        page, caller = self._page, self._context.caller_of(request)
        session.pair = None
        try:
            pair = await self._draw(session, models, question, caller)
            yield self._begun()
            answers = await asyncio.gather(*(self._answer(model, question, caller) for model in pair))
        except WorkbenchError as failure:
            yield {**self._ended(has_answers=False), page.notice: error_notice(failure)}
            return
        session.pair = pair
        shown = {part: _thread(question, text) for part, text in zip(page.answers, answers, strict=True)}
        yield {**self._ended(has_answers=True), **shown, page.notice: ""}

    async def _draw(
        self, session: ArenaSession, models: Sequence[str], question: str, caller: Caller
    ) -> tuple[str, str]:
        """Raises: InvalidRequest saying what is missing; ModelNotFound, ModelNotAllowed."""
        if not question.strip():
            raise InvalidRequest("Write a question first.", param="question")
        if len(set(models)) < 2:
            raise InvalidRequest("Choose at least two candidates.", param="models")
        for model in models:
            self._workbench.model(model, caller)
        return draw_pair(models, await self._ballots(session, caller), self._chance)

    async def _answer(self, model: str, question: str, caller: Caller) -> str:
        params = GenerationParams(max_tokens=ANSWER_TOKENS)
        asked = GenerationRequest(model, ChatPrompt((Message(Role.USER, question),)), params)
        completion = await self._workbench.complete(asked, caller)
        return completion.choices[0].content

    async def vote(
        self, request: gr.Request, session: ArenaSession, models: Sequence[str], choice: str
    ) -> Updates:
        """Records the vote and shows the names; a pair is voted on once."""
        page, caller, pair = self._page, self._context.caller_of(request), session.pair
        if pair is None:
            return {page.voting: gr.Row(visible=False)}
        session.pair = None
        try:
            await self._workbench.store.votes.add(caller.account, *pair, choice)
        except Unavailable:
            session.ballots.append(Ballot(*pair, Choice(choice)))
        names = {
            part: name_html(side, model.rpartition("/")[2])
            for part, side, model in zip(page.names, _SIDES, pair, strict=True)
        }
        ratings = await self._standings(session, models, caller)
        return {**names, page.voting: gr.Row(visible=False), page.standings: ratings}

    async def show(self, request: gr.Request, session: ArenaSession, models: Sequence[str]) -> str:
        """The standings of the chosen candidates."""
        return await self._standings(session, models, self._context.caller_of(request))

    async def _standings(self, session: ArenaSession, models: Sequence[str], caller: Caller) -> str:
        ballots = await self._ballots(session, caller)
        return standings_html(await asyncio.to_thread(standings, models, ballots))

    async def _ballots(self, session: ArenaSession, caller: Caller) -> Sequence[Ballot]:
        """The account's votes; this tab's on a server that keeps none."""
        try:
            stored = await self._workbench.store.votes.of(caller.account)
        except Unavailable:
            return session.ballots
        return [Ballot(vote.left, vote.right, Choice(vote.outcome)) for vote in stored]

    def _begun(self) -> Updates:
        page = self._page
        hidden = {part: name_html(side) for part, side in zip(page.names, _SIDES, strict=True)}
        return {
            page.notice: notice_html(Kind.BUSY, "Both are writing", "The answers appear together."),
            page.ask: gr.Button(interactive=False),
            page.stop: gr.Button(visible=True),
            page.voting: gr.Row(visible=False),
            **hidden,
            **{answer: [] for answer in page.answers},
        }

    def _ended(self, *, has_answers: bool) -> Updates:
        page = self._page
        return {
            page.ask: gr.Button(interactive=True),
            page.stop: gr.Button(visible=False),
            page.voting: gr.Row(visible=has_answers),
        }

    def stopped(self) -> Updates:
        """As before the question."""
        return {**self._ended(has_answers=False), self._page.notice: ""}


def _thread(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer or "(no answer)"}]


def _voter(events: ArenaEvents, choice: Choice) -> Vote:
    """A button's handler; Gradio hands a request only to what says so in its own signature."""

    async def vote(request: gr.Request, session: ArenaSession, models: Sequence[str]) -> Updates:
        return await events.vote(request, session, models, choice.value)

    return vote


def bind_arena(page: ArenaPage, context: PageContext) -> None:
    """Connects the arena's components."""
    events = ArenaEvents(page, context)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    context.menus.add(page.models, all_of(lambda status: status.card.id.rpartition("/")[2]))
    painted = [page.notice, page.ask, page.stop, page.voting, *page.names, *page.answers]
    asked = gr.on(
        [page.ask.click, page.question.submit], events.ask, [page.session, page.models, page.question], painted,
        trigger_mode="once", **quiet,
    )  # fmt: skip
    page.stop.click(events.stopped, None, painted, cancels=[asked], queue=False, **quiet)
    for choice, button in zip(Choice, page.votes, strict=True):
        button.click(
            _voter(events, choice),
            [page.session, page.models],
            [page.voting, *page.names, page.standings],
            **quiet,
        )
    page.models.change(events.show, [page.session, page.models], [page.standings], **quiet)
    page.back.click(None, None, None, js="() => wb.showArena(false)", **quiet)

"""A judge compares the candidates' stored answers in pairs; what it said is stored, too, and never asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from evaluators.base import Sample
from evaluators.length import Unit, count
from evaluators.pairwise import pair_question
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import JudgementRow, RequestKind, SampleRow
from workbench.experiments.run.asking import Asked, judge_ask, request_row
from workbench.experiments.run.at_once import at_once
from workbench.experiments.run.calls import Respondent, patiently
from workbench.experiments.spec.experiment import Experiment, JudgeSpec

PAIRS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Pair:
    probe: str
    sample: Sample
    first: SampleRow
    second: SampleRow

    @property
    def id(self) -> str:
        return f"{self.probe}/{self.sample.id}/{self.first.candidate}/{self.second.candidate}"


class PairJudge:
    """Judges every pair of answers that was not judged yet."""

    def __init__(
        self,
        experiment: Experiment,
        judge: JudgeSpec,
        folder: ExperimentFolder,
        respondent: Respondent,
        run: str,
    ) -> None:
        self._experiment = experiment
        self._judge = judge
        self._folder = folder
        self._respondent = respondent
        self._run = run

    def pairs(self) -> list[_Pair]:
        """What is to be judged: of each item the answers of every two candidates, each item's first repeat."""
        done = {row.id for row in self._folder.judgements.read()}
        return [pair for name in self._judge.pairwise for pair in self._of_probe(name) if pair.id not in done]

    def _of_probe(self, name: str) -> Iterator[_Pair]:
        rows = {
            (row.candidate, row.sample): row
            for row in self._folder.samples.read()
            if row.probe == name and row.repeat == 0 and row.answer and not row.failure
        }
        names = [candidate.name for candidate in self._experiment.candidates]
        for sample in self._folder.read_data(name).samples:
            for first, second in combinations(names, 2):
                if (first, sample.id) in rows and (second, sample.id) in rows:
                    yield _Pair(name, sample, rows[first, sample.id], rows[second, sample.id])

    async def run(self, pairs: Sequence[_Pair], on_done: Callable[[], None]) -> None:
        """Asks about each pair in both orders and stores it."""

        async def judge(pair: _Pair) -> None:
            await self._judge_pair(pair)
            on_done()

        await at_once(pairs, judge, self._experiment.concurrency or PAIRS_AT_ONCE)

    async def _judge_pair(self, pair: _Pair) -> None:
        forward, backward = await asyncio.gather(
            self._ask(pair, pair.first.answer, pair.second.answer),
            self._ask(pair, pair.second.answer, pair.first.answer),
        )
        self._folder.requests.add(
            request_row(
                one, f"judge/{pair.id}/{order}", self._judge.model, self._run, pair.probe, pair.sample.id
            )
            for order, one in enumerate((forward, backward))
        )
        if forward.error or backward.error:
            return
        self._folder.judgements.add(
            [
                JudgementRow(
                    id=pair.id,
                    probe=pair.probe,
                    sample=pair.sample.id,
                    first=pair.first.candidate,
                    second=pair.second.candidate,
                    forward=forward.reply.text,
                    backward=backward.reply.text,
                    first_words=count(pair.first.answer, Unit.WORDS),
                    second_words=count(pair.second.answer, Unit.WORDS),
                )
            ]
        )

    async def _ask(self, pair: _Pair, a: str, b: str) -> Asked:
        request = pair.first.prompt
        ask = judge_ask(
            self._judge.model, pair_question(request, a, b), self._judge.max_tokens, self._experiment.seed
        )
        return Asked(RequestKind.JUDGE, await patiently(lambda: self._respondent.answer(ask)))

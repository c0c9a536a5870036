"""Reading prompts: in chunks beside the decoding rows, from kept prefixes, several at once if they are only scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from workbench.engine.requests import PrefillEvent, TokenScore
from workbench.engine.rows import Rows
from workbench.engine.sampler import report_logprobs
from workbench.engine.scheduler import MOST_SCORED
from workbench.engine.sequence import Sequence as Choice


class Prefill:
    """The part of a step that reads prompts.

    `sample` chooses the first token of choices from logits [rows, V]; `exchange`, called after each piece, hands over
    first tokens at once and lets a newcomer in who may be next.
    """

    def __init__(
        self,
        rows: Rows,
        sample: Callable[[torch.Tensor, Sequence[Choice]], None],
        exchange: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._runner = rows.runner
        self._scheduler = rows.scheduler
        self._sample = sample
        self._exchange = exchange

    def run(self) -> None:
        """Reads prompts until this step's share of time is used up, but for a last piece that goes with the decoding.

        That piece ends nowhere in particular, so nothing waits for its logits: beside the decoding rows it costs no
        reading of the weights of its own.
        """
        scheduler, spent = self._scheduler, 0.0
        scheduler.beside = 0
        while (budget := scheduler.chunk(spent)) > 0:
            began = time.perf_counter()
            if self._runner.can_pack and scheduler.next_to_score(budget):
                tokens = self._score_together(scheduler.scoring)
            else:
                choice = scheduler.prefilling or scheduler.next_to_prefill()
                if choice is None:
                    return
                if choice.cached == 0:
                    self._begin(choice)
                if choice.finish is not None:
                    continue
                if choice.cached == len(choice.ids) - 1 and not self._wants_scores(choice):
                    self._join(choice)
                    continue
                if scheduler.active and self._needs_no_logits(choice, choice.cached + budget):
                    scheduler.beside = budget
                    return
                tokens = self._read_chunk(choice, budget)
            taken = time.perf_counter() - began
            scheduler.pace.saw_prefill(taken, tokens)
            spent += taken
            self._exchange()

    def _begin(self, choice: Choice) -> None:
        """Gives a choice its row, with what is already known of its beginning."""
        request, row = choice.request, len(self._scheduler.active)
        if request.params.max_tokens == 0 and request.prompt_logprobs is None:
            self._report(choice)
            choice.end_without_tokens()
            self._rows.settle(choice)
            return
        self._runner.reserve(row + 1, self._scheduler.longest())
        choice.prompt_scores.clear()
        prompt, output = choice.ids[: choice.prompt_length], choice.ids[choice.prompt_length :]
        choice.sampling.begin(prompt, output, self._runner.vocabulary, self._runner.device)
        if request.prompt_logprobs is None:
            found = self._rows.prefixes.find(request.scope, choice.ids, len(choice.ids) - 1)
            if found is not None:
                prefix, length = found
                self._runner.restore(prefix, row, length)
                choice.cached = choice.reused = length

    def _join(self, choice: Choice) -> None:
        """Lets a choice decode whose prompt is known but for its last token: reading that one is a decode step."""
        self._report(choice)
        self._scheduler.prefilling = None
        self._scheduler.active.append(choice)

    def _needs_no_logits(self, choice: Choice, end: int) -> bool:
        """True when reading a choice up to `end` neither finishes nor scores its prompt."""
        return end < len(choice.ids) and not self._wants_scores(choice)

    def _wants_scores(self, choice: Choice) -> bool:
        return choice.request.prompt_logprobs is not None and choice.generated == 0

    def _read_chunk(self, choice: Choice, budget: int) -> int:
        """Reads the next piece of a prompt and, when it was the last, samples the first token; how many were read."""
        row, start = len(self._scheduler.active), choice.cached
        wants_scores = self._wants_scores(choice)
        first = choice.first_scored if wants_scores else len(choice.ids)
        most = min(budget, max(first - start, 0) + MOST_SCORED) if wants_scores else budget
        piece = choice.ids[start : start + most]
        end = start + len(piece)
        logits = self._runner.prefill(row, piece, start, max(1, end - max(start, first)))
        choice.cached = end
        if wants_scores and (end > first or end == len(choice.ids)):
            self._add_scores(choice, logits, end - logits.shape[0])
        if end == len(choice.ids):
            self._finish(choice, logits[-1:])
        return len(piece)

    def _score_together(self, choices: Sequence[Choice]) -> int:
        """Scores prompts from which nothing is generated in one pass, without a row; how many tokens were read."""
        starts = [choice.first_scored for choice in choices]
        scopes = [choice.request.scope for choice in choices]
        logits = self._runner.score([choice.ids for choice in choices], starts, scopes)
        following = [token for choice in choices for token in choice.ids[choice.first_scored + 1 :]]
        counts = [choice.request.prompt_logprobs for choice in choices for _ in range(choice.scored)]
        scored = iter(_token_scores(logits, following, counts))
        tokens = 0
        for choice in tuple(choices):
            choice.prompt_scores += [
                TokenScore(token, None) for token in choice.ids[: choice.first_scored + 1]
            ]
            choice.prompt_scores += [next(scored) for _ in range(choice.scored)]
            self._report(choice)
            choice.end_without_tokens()
            self._rows.settle(choice)
            tokens += len(choice.ids)
        self._scheduler.scoring.clear()
        return tokens

    def _add_scores(self, choice: Choice, logits: torch.Tensor, start: int) -> None:
        """Scores the tokens after positions start .. start+len-1 from their logits [len, V]."""
        if not choice.prompt_scores:
            choice.prompt_scores += [
                TokenScore(token, None) for token in choice.ids[: choice.first_scored + 1]
            ]
        following = choice.ids[start + 1 : start + 1 + logits.shape[0]]
        counts = [choice.request.prompt_logprobs] * len(following)
        choice.prompt_scores += _token_scores(logits[: len(following)], following, counts)

    def _finish(self, choice: Choice, logits: torch.Tensor) -> None:
        self._report(choice)
        scheduler = self._scheduler
        if choice.request.choices > 1 and choice.choice == 0:
            self._rows.keep(choice, len(scheduler.active), choice.prompt_length)
        scheduler.prefilling = None
        scheduler.active.append(choice)
        if choice.request.params.max_tokens == 0:
            choice.end_without_tokens()
        else:
            self._sample(logits, [choice])
        self._rows.settle(choice)

    def _report(self, choice: Choice) -> None:
        if not choice.job.has_reported_prefill:
            choice.job.has_reported_prefill = True
            choice.events.append(PrefillEvent(choice.reused, tuple(choice.prompt_scores)))


def _token_scores(
    logits: torch.Tensor, following: Sequence[int], counts: Sequence[int | None]
) -> list[TokenScore]:
    """The score of each token of `following` from the logits [len, V] before it; all of `counts` are numbers."""
    return [
        TokenScore(token, score.chosen, tuple(zip(score.top_ids, score.top_logprobs, strict=True)))
        for token, score in zip(following, report_logprobs(logits, following, counts), strict=True)
        if score is not None
    ]

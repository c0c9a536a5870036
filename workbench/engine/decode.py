"""One token for every active row: the forward pass, sampling, and what to do when memory runs out."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
import torch

from workbench.core.errors import Overloaded
from workbench.engine.rows import Rows
from workbench.engine.runner import Piece
from workbench.engine.sampler import choose, process, report_logprobs
from workbench.engine.sequence import Sequence as Choice

log = structlog.get_logger(__name__)


class Decode:
    """The part of a step that generates."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._runner = rows.runner
        self._scheduler = rows.scheduler

    def run(self) -> None:
        """One token for every active row, and the piece of a prompt that is to be read beside them.

        Raises: Overloaded when one row alone has no memory.
        """
        scheduler = self._scheduler
        self._rows.make(scheduler.pause_for_growth())
        if not scheduler.active:
            return
        self._runner.reserve(scheduler.rows_in_use, scheduler.longest())
        began = time.perf_counter()
        try:
            read = self._once(scheduler.beside)
        except torch.OutOfMemoryError:
            self._after_out_of_memory()
            return
        seconds = time.perf_counter() - began
        if read:
            scheduler.pace.saw_both(seconds, read)
        else:
            scheduler.pace.saw_step(seconds)

    def _after_out_of_memory(self) -> None:
        """Frees what can be freed, pauses the younger half of the batch, and tries once more."""
        scheduler = self._scheduler
        log.warning("out of memory in a step", rows=len(scheduler.active))
        self._rows.prefixes.clear()
        by_age = sorted(scheduler.active, key=lambda choice: (choice.job.arrival, choice.choice))
        for choice in reversed(by_age[max(1, len(by_age) // 2) :]):
            self._rows.make(scheduler.pause(choice))
        if self._runner.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            self._once(0)
        except torch.OutOfMemoryError as failure:
            raise Overloaded(
                "The machine ran out of memory for this request.", retry_after_seconds=10
            ) from failure

    def _once(self, most: int) -> int:
        """One token for each row, and `most` tokens of a prompt beside them; how many of those were read."""
        choices, newcomer = list(self._scheduler.active), self._scheduler.prefilling
        piece = None
        if newcomer is not None and most:
            start = newcomer.cached
            piece = Piece(len(choices), newcomer.ids[start : start + most], start)
        logits = self._runner.decode(
            [choice.ids[-1] for choice in choices], [len(choice.ids) - 1 for choice in choices], piece
        )
        for choice in choices:
            choice.cached = len(choice.ids)
        if newcomer is not None and piece is not None:
            newcomer.cached += len(piece.ids)
        self.sample(logits, choices)
        for choice in choices:
            self._rows.settle(choice)
        return 0 if piece is None else len(piece.ids)

    def sample(self, raw: torch.Tensor, choices: Sequence[Choice]) -> None:
        """Chooses a token for each choice from float32 logits [rows, V] and moves the choices on."""
        samplings = [choice.sampling for choice in choices]
        chosen = choose(process(raw, samplings, _allowed(raw, choices)), samplings).tolist()
        scores = report_logprobs(raw, chosen, [choice.wants_scores() for choice in choices])
        for choice, token, score in zip(choices, chosen, scores, strict=True):
            choice.take(token, score)


def _allowed(raw: torch.Tensor, choices: Sequence[Choice]) -> torch.Tensor | None:
    """Which tokens each choice's grammar allows, bool [rows, V]; None when none has one."""
    if all(choice.matcher is None for choice in choices):
        return None
    allowed = torch.ones(raw.shape, dtype=torch.bool)
    for index, choice in enumerate(choices):
        if choice.matcher is not None:
            choice.matcher.fill(allowed[index])
    return allowed.to(raw.device)

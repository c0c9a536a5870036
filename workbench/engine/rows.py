"""What prefill and decode share: the model's rows, who sits in them, kept prefixes, and the events of the step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workbench.core.errors import WorkbenchError
from workbench.engine.prefixes import PrefixStore
from workbench.engine.requests import Deliver, EngineEvent, FailureEvent
from workbench.engine.runner import Runner
from workbench.engine.scheduler import Move, Scheduler
from workbench.engine.sequence import Sequence as Choice

Batch = list[tuple[Deliver, Sequence[EngineEvent]]]
"""One step's events and where they go."""


@dataclass(slots=True)
class Rows:
    """The rows of one runner and what happens when a choice ends or is taken off its row."""

    runner: Runner
    scheduler: Scheduler
    prefixes: PrefixStore
    outbox: Batch = field(default_factory=list)

    def make(self, moves: Iterable[Move]) -> None:
        """Carries out the scheduler's moves."""
        for move in moves:
            self.runner.move(*move)

    def settle(self, choice: Choice) -> None:
        """Collects a choice's events and, when it has finished, frees its row."""
        if choice.events:
            self.outbox.append((choice.job.deliver, choice.events))
            choice.events = []
        if choice.finish is None:
            return
        choice.job.unfinished -= 1
        scheduler = self.scheduler
        if choice.choice == 0 and choice in scheduler.active:
            self.keep(choice, scheduler.active.index(choice), choice.cached)
        if choice in scheduler.active or choice is scheduler.prefilling:
            self.make(scheduler.leave(choice))

    def keep(self, choice: Choice, row: int, length: int) -> None:
        """Keeps a copy of the row's beginning for later requests of the same scope."""
        if choice.request.prompt_logprobs is not None:
            return  # scored prompts are seldom asked for again, and a test set of them would fill the memory
        if length < 2 or self.prefixes.is_known(choice.request.scope, choice.ids[:length]):
            return
        prefix = self.runner.save(row, length)
        if prefix is not None:
            self.prefixes.put(choice.request.scope, choice.ids, prefix)

    def drop_cancelled(self) -> None:
        """Takes cancelled choices out of the queue and off their rows."""
        scheduler = self.scheduler
        if any(choice.job.is_cancelled for choice in scheduler.waiting):
            kept = [choice for choice in scheduler.waiting if not choice.job.is_cancelled]
            scheduler.waiting.clear()
            scheduler.waiting.extend(kept)
        for choice in scheduler.running:
            if choice.job.is_cancelled:
                self.make(scheduler.leave(choice))

    def fail_running(self, error: WorkbenchError) -> None:
        """Ends every request that is being worked on with this error; what waits goes on."""
        scheduler = self.scheduler
        failed = {id(choice.job): choice.job for choice in (*scheduler.running, *scheduler.scoring)}
        scheduler.active.clear()
        scheduler.scoring.clear()
        scheduler.prefilling = None
        for job in failed.values():
            job.is_cancelled = True
            self.outbox.append((job.deliver, [FailureEvent(error)]))
        self.drop_cancelled()

    def fail_all(self, error: WorkbenchError) -> None:
        """Ends every request with this error."""
        waiting = {id(choice.job): choice.job for choice in self.scheduler.waiting}
        self.fail_running(error)
        for job in waiting.values():
            if not job.is_cancelled:
                job.is_cancelled = True
                self.outbox.append((job.deliver, [FailureEvent(error)]))
        self.scheduler.waiting.clear()

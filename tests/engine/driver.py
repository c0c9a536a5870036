"""Runs an Engine in the test's own thread: submits, steps, and collects what each request got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedModel

from tests.engine.tiny_models import EOS, byte_tokenizer
from workbench.core.chat import FinishReason
from workbench.core.effective import EffectiveParams
from workbench.core.errors import WorkbenchError
from workbench.engine.loop import Engine
from workbench.engine.masks import MaskPlan
from workbench.engine.prefixes import PrefixStore
from workbench.engine.requests import (
    EngineEvent,
    EngineRequest,
    FailureEvent,
    PrefillEvent,
    TokenEvent,
    TokenScore,
)
from workbench.engine.runner import Runner, SlotRunner, text_config
from workbench.engine.sequence import Job

BUDGET = 64 << 20


@dataclass
class Got:
    """What one request got."""

    events: list[EngineEvent] = field(default_factory=list)
    job: Job | None = None

    def take(self, events: Sequence[EngineEvent]) -> None:
        self.events.extend(events)

    def tokens(self, choice: int = 0) -> list[TokenEvent]:
        return [event for event in self.events if isinstance(event, TokenEvent) and event.choice == choice]

    def ids(self, choice: int = 0) -> list[int]:
        return [score.token_id for event in self.tokens(choice) for score in event.scores]

    def scores(self, choice: int = 0) -> list[TokenScore]:
        return [score for event in self.tokens(choice) for score in event.scores]

    def text(self, choice: int = 0) -> str:
        return "".join(event.text for event in self.tokens(choice))

    def counted(self, choice: int = 0) -> int:
        return sum(event.token_count for event in self.tokens(choice))

    def finish(self, choice: int = 0) -> FinishReason | None:
        return next((event.finish for event in self.tokens(choice) if event.finish is not None), None)

    @property
    def prefill(self) -> PrefillEvent:
        return next(event for event in self.events if isinstance(event, PrefillEvent))

    @property
    def error(self) -> WorkbenchError | None:
        return next((event.error for event in self.events if isinstance(event, FailureEvent)), None)

    @property
    def is_over(self) -> bool:
        choices = self.job.request.choices if self.job is not None else 1
        ended = sum(isinstance(event, TokenEvent) and event.finish is not None for event in self.events)
        return self.error is not None or ended == choices


class Driver:
    """An engine that only moves when it is told to."""

    def __init__(self, model: PreTrainedModel, runner: Runner | None = None, *, max_rows: int = 8) -> None:
        plan = MaskPlan.of(text_config(model))
        assert plan is not None
        self.runner: Any = runner or SlotRunner(model, plan, budget_bytes=BUDGET, max_rows=max_rows)
        self.prefixes = PrefixStore(budget_bytes=BUDGET, idle_seconds=60)
        self.engine = Engine(
            self.runner,
            byte_tokenizer(),
            eos_ids=[EOS],
            prefixes=self.prefixes,
            post=lambda batch: [deliver(events) for deliver, events in batch],  # type: ignore[arg-type]
        )

    def submit(self, prompt: Sequence[int], *, choices: int = 1, **kwargs: object) -> Got:
        """Puts a request in without stepping; `params` fields and request fields by name."""
        request_fields = {
            "logprobs", "prompt_logprobs", "prompt_logprobs_from", "grammar", "scope", "places", "visible_ids",
        }  # fmt: skip
        own = {name: kwargs.pop(name) for name in tuple(kwargs) if name in request_fields}
        defaults: dict[str, object] = {"temperature": 0.0, "max_tokens": 16, "seed": 1}
        got = Got()
        request = EngineRequest(
            prompt_ids=tuple(prompt),
            params=EffectiveParams(**{**defaults, **kwargs}),  # type: ignore[arg-type]
            choices=choices,
            **{"scope": "test", "logprobs": 0, **own},  # type: ignore[arg-type]
        )
        got.job = Job(request, got.take)
        self.engine._inbox.append(got.job)
        return got

    def run(self, *requests: Got, most_steps: int = 2000) -> None:
        """Steps until these requests are over."""
        for _ in range(most_steps):
            if all(got.is_over for got in requests):
                return
            self.engine.step()
        raise AssertionError("the engine did not finish")

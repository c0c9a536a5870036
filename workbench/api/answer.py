"""What chat and completion answers have in common: who they are, what they report, when a stream is over."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from guard.moderation import ChatModeration
from workbench.api.feed import PromptEvent
from workbench.api.schemas.generation import GenerationBody
from workbench.api.timing import TimingReport
from workbench.core.chat import Started


class ChunkWriter(Protocol):
    """Turns the events of a call into the chunks of its stream."""

    def chunks(self, item: PromptEvent) -> Iterator[str]:
        """The chunks this event makes, as JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk and answer of a call repeats. `created` is in Unix seconds."""

    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def of(cls, kind: str, body: GenerationBody) -> Head:
        """A fresh head; its id is the `kind` and 128 random bits."""
        return cls(f"{kind}-{uuid.uuid4().hex}", body.model)


def effective_report(body: GenerationBody, started: Sequence[Started]) -> Mapping[str, Any] | None:
    """What was applied: of the one prompt, or of each; None when it was not asked for."""
    if not body.x_effective:
        return None
    reports = [dict(one.effective) for one in started]
    return reports[0] if len(reports) == 1 else {"prompts": reports}


def timing_report(body: GenerationBody, timing: TimingReport) -> Mapping[str, Any] | None:
    """How long this server took until now: of the one prompt, or of each; None when it was not asked for."""
    return timing.answer() if body.x_timing else None


def fields_to_leave_out(body: GenerationBody, moderation: ChatModeration | None) -> set[str]:
    """The fields that a chunk does not have: a usage nobody asked for, and a guard's word that is not in this one."""
    reports_usage = body.includes_usage or body.counts_continuously
    absent = {"usage": not reports_usage, "moderation": moderation is None}
    return {name for name, is_absent in absent.items() if is_absent}

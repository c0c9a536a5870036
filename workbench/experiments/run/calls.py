"""What an experiment asks of a model and what comes back, whoever answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from evaluators.base import Likelihood, Sample
from evaluators.timing import RequestTiming
from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.chat import ChatPrompt, FinishReason, Message, Role, TrafficClass
from workbench.core.params import GenerationParams
from workbench.experiments.record.rows import TokenSurprise
from workbench.experiments.spec.experiment import CandidateSpec

LOAD_WAIT_SECONDS = 1.0
_HASH_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request. `likelihood` is there where a continuation was scored."""

    timing: RequestTiming
    text: str = ""
    finish_reason: FinishReason | None = None
    likelihood: Likelihood | None = None
    prompt_sha256: str = ""
    fingerprint: str = ""
    effective: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[TokenSurprise, ...] = ()
    """There where they were asked for."""

    @property
    def answer_sha256(self) -> str:
        """A hash of the text; empty where there is none."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:_HASH_CHARACTERS] if self.text else ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A chat to be answered.

    `is_length_fixed`: the token limit is asked for and no truncation. `has_surprises`: the answer's tokens come with
    their probabilities.
    """

    model: str
    prompt: ChatPrompt
    params: GenerationParams
    traffic: TrafficClass
    is_length_fixed: bool = False
    has_surprises: bool = False


class Respondent(Protocol):
    """Everything an experiment needs of the models."""

    async def prepare(self, model: str) -> tuple[ModelCard, ModelInfo]:
        """The loaded model. Raises: a WorkbenchError when it cannot be loaded."""
        ...

    async def answer(self, ask: Ask) -> Reply:
        """The answer; what went wrong is a reply of the class "failed"."""
        ...

    async def likelihood(self, model: str, context: str, continuation: str) -> Reply:
        """How likely the model finds the continuation after the context; failures as in `answer`."""
        ...

    async def is_unsafe(self, turns: Sequence[Message]) -> bool | None:
        """Whether the guard finds the last turn unsafe; None where it cannot tell."""
        ...

    async def guard_name(self) -> str:
        """The guard that `is_unsafe` asks. Raises: Unavailable, NotFound."""
        ...

    def foreign_requests(self) -> int:
        """How many requests of others run at this moment."""
        ...


async def patiently(ask: Any, *, attempts: int = 30, wait_seconds: float = LOAD_WAIT_SECONDS) -> Reply:
    """The reply to `ask()`, sent again while the server has no place; for work that nobody times."""
    reply: Reply = await ask()
    for _ in range(attempts):
        if reply.timing.error not in (
            "rate_limit_exceeded",
            "overloaded",
            "model_loading",
            "engine_restarting",
        ):
            break
        await asyncio.sleep(wait_seconds)
        reply = await ask()
    return reply


def chat_prompt(candidate: CandidateSpec, sample: Sample) -> ChatPrompt:
    """The item as a chat, under the candidate's system prompt unless the item brings its own."""
    messages = sample.messages or (Message(Role.USER, sample.prompt),)
    if candidate.system and messages[0].role is not Role.SYSTEM:
        messages = (Message(Role.SYSTEM, candidate.system), *messages)
    return ChatPrompt(messages)

"""What goes into the engine and the events that come out: tokens and text, no messages, no wire format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.core.chat import FinishReason
from workbench.core.effective import EffectiveParams
from workbench.core.errors import WorkbenchError
from workbench.engine.grammar import Grammar


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One prompt and how many choices to generate for it.

    `logprobs`: None for none, k >= 0 for the chosen token's and the k likeliest. `prompt_logprobs` likewise for the
    prompt's tokens from index `prompt_logprobs_from` on. `scope` bounds prefix reuse. Special tokens have no text but
    those in `visible_ids`: markers that a parser of reasoning or tool calls must see. `places` bounds how many of the
    choices run at once, asked each time.
    """

    prompt_ids: tuple[int, ...]
    params: EffectiveParams
    scope: str
    choices: int = 1
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    prompt_logprobs_from: int = 0
    grammar: Grammar | None = None
    visible_ids: frozenset[int] = frozenset()
    places: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token and its logprob in nats; None for a prompt's first token and those before what is scored.

    `top` pairs ids with logprobs.
    """

    token_id: int
    logprob: float | None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PrefillEvent:
    """The prompt was read: `cached_tokens` of it came from a kept prefix."""

    cached_tokens: int
    prompt_scores: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """One step of one choice.

    `text` is what may be shown now (often of this token, sometimes none while a stop string could begin); `scores`
    belong to that text, not to the token of the step. `token_count` is 1 for a generated token, 0 for a bare end.
    `mean_logprob` comes with the finish: the mean over the choice's tokens in nats, for best_of.
    """

    choice: int
    text: str
    token_count: int
    at: float
    scores: tuple[TokenScore, ...] = ()
    finish: FinishReason | None = None
    mean_logprob: float = 0.0


@dataclass(frozen=True, slots=True)
class FailureEvent:
    """The request ended with an error."""

    error: WorkbenchError


EngineEvent = PrefillEvent | TokenEvent | FailureEvent
Deliver = Callable[[Sequence[EngineEvent]], None]

"""What screening costs a chat: time to the first token, tokens a second, hold-back.

Calls without a guard, with both sides scored and with both sides blocked take turns, so that whatever else the machine
does falls on all of them. The threshold is 1: everything is judged and nothing is cut short. Not covered: the network.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from guard.base import Direction, Screened
from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from workbench.core.caller import Caller
from workbench.core.chat import ChatPrompt, Delta, Finished, GenerationRequest, Message, Role
from workbench.core.params import GenerationParams
from workbench.screening import ScreeningChoice
from workbench.service import CallOptions, Workbench

MODES = (Mode.OFF, Mode.SCORE, Mode.BLOCK)
WORDS = (
    "baker", "dough", "oven", "rain", "street", "children", "school", "garden", "clock", "hour", "quiet", "green",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timing:
    """One call. Seconds from sending; `holdback_ms` is None where nothing was held back.

    The first token counts from when it was generated: how much later it was shown is the hold-back.
    """

    first_token_s: float
    total_s: float
    tokens: int
    holdback_ms: float | None


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts of about `tokens` tokens, all different: none is answered from another's kept prefix."""

    tokens: int
    randomness: random.Random

    def next(self) -> str:
        """The next prompt; the words are all single tokens of common tokenizers."""
        words = [self.randomness.choice(WORDS) for _ in range(self.tokens - 30)]
        return f"{self.randomness.randrange(10**6)} {' '.join(words)}. Go on with this story."


@dataclass(frozen=True, slots=True)
class CostRow:
    """Medians of one mode over the rounds. `holdback_ms` is None where nothing is held back."""

    mode: Mode
    first_token_ms: float
    tokens_per_second: float
    holdback_ms: float | None


def judging_all(mode: Mode, guard: str) -> ScreeningChoice | None:
    """Both sides under `mode` with a threshold that nothing reaches; None for OFF."""
    if mode is Mode.OFF:
        return None
    side = DirectionPolicy(mode, threshold=1.0)
    return ScreeningChoice(ScreeningPolicy(side, side), guard)


async def timed_call(
    workbench: Workbench, caller: Caller, prompt: str, max_tokens: int, screening: ScreeningChoice | None
) -> Timing:
    """One call of the default model through the whole service, always `max_tokens` long."""
    params = GenerationParams(max_tokens=max_tokens, ignore_eos=True, temperature=0.0)
    model = workbench.catalogue.default.id
    request = GenerationRequest(model, ChatPrompt((Message(Role.USER, prompt),)), params)
    started = time.monotonic()
    first, tokens, holdback = 0.0, 0, None
    events = workbench.stream(request, caller, CallOptions(screening=screening))
    async with aclosing(events) as stream:
        async for event in stream:
            match event:
                case Delta():
                    first = first or (event.at or time.monotonic()) - started
                case Screened(direction=Direction.OUTPUT):
                    holdback = event.holdback_ms or holdback
                case Finished():
                    tokens = event.usage.completion_tokens
    return Timing(first, time.monotonic() - started, tokens, holdback)


async def measure_cost(
    workbench: Workbench,
    caller: Caller,
    guard: str,
    *,
    rounds: int = 3,
    prompt_tokens: int = 300,
    output_tokens: int = 32,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[CostRow, ...]:
    """One call at a time: every mode once a round, the order turned by one each time.

    Raises: a WorkbenchError, such as NotFound for a guard that does not exist.
    """
    prompts = Prompts(prompt_tokens, random.Random(0))  # noqa: S311 - dice for words
    await workbench.guards.open(guard)
    await timed_call(workbench, caller, prompts.next(), 2, judging_all(Mode.SCORE, guard))
    found: dict[Mode, list[Timing]] = {mode: [] for mode in MODES}
    for number in range(rounds):
        for place in range(len(MODES)):
            mode = MODES[(number + place) % len(MODES)]
            choice = judging_all(mode, guard)
            found[mode].append(await timed_call(workbench, caller, prompts.next(), output_tokens, choice))
            on_progress(number * len(MODES) + place + 1, rounds * len(MODES))
    return _rows(found)


def _rows(found: Mapping[Mode, Sequence[Timing]]) -> tuple[CostRow, ...]:
    rows = []
    for mode, timings in found.items():
        held = [timing.holdback_ms for timing in timings if timing.holdback_ms is not None]
        rows.append(
            CostRow(
                mode,
                statistics.median(timing.first_token_s for timing in timings) * 1000,
                statistics.median(timing.tokens / timing.total_s for timing in timings),
                statistics.median(held) if held and mode is Mode.BLOCK else None,
            )
        )
    return tuple(rows)

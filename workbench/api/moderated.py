"""What the guard said of one call, as its answer tells it."""

from __future__ import annotations

from guard.base import Direction, Screened, Verdict
from guard.moderation import ChatModeration, chat_moderation
from guard.pipeline import Screening


class ModerationReport:
    """Gathers the verdicts of a call: one for each prompt, and one for each choice of each prompt.

    It is told which guard and policy apply before the first verdict, and never of what the caller is not to notice.
    """

    def __init__(self) -> None:
        self._screening: Screening | None = None
        self._inputs: dict[int, Verdict] = {}
        self._outputs: dict[tuple[int, int], Verdict] = {}

    def screen(self, screening: Screening) -> None:
        """Takes the guard and policy that apply; all prompts of a call have the same."""
        self._screening = screening

    def add(self, prompt: int, screened: Screened) -> None:
        """Takes the next verdict, which is on the prompt with this number or on one of its choices."""
        if screened.direction is Direction.INPUT:
            self._inputs[prompt] = screened.verdict
        else:
            self._outputs[prompt, screened.index] = screened.verdict

    @property
    def is_told(self) -> bool:
        """True when the answer has something to tell, known once the call has started."""
        return self._tells(Direction.INPUT) or self._tells(Direction.OUTPUT)

    def answer(self) -> ChatModeration | None:
        """The answer's `moderation`: results in the order of prompts and choices; None when nothing is to be told."""
        if self._screening is None or not self.is_told:
            return None
        inputs = [verdict for _, verdict in sorted(self._inputs.items())]
        outputs = [verdict for _, verdict in sorted(self._outputs.items())]
        return chat_moderation(
            self._screening.guard,
            inputs if self._tells(Direction.INPUT) else None,
            outputs if self._tells(Direction.OUTPUT) else None,
        )

    def _tells(self, direction: Direction) -> bool:
        return self._screening is not None and self._screening.policy.of(direction).mode.is_told

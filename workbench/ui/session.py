"""One browser tab's conversation. It lives in memory only and is gone with the tab."""

from __future__ import annotations

from dataclasses import dataclass, field

from guard.base import Verdict
from workbench.core.chat import Message, Role
from workbench.ui.metrics import AnswerMetrics

SECONDS_KEPT = 3600
"""How long a closed or idle tab's conversation stays in memory."""


@dataclass(slots=True)
class Turn:
    """What the user said, what came back so far, and the guard's verdicts on both.

    `metrics` is None until the answer has ended.
    """

    user: str
    answer: str = ""
    reasoning: str = ""
    model: str = ""
    metrics: AnswerMetrics | None = None
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(slots=True)
class ChatSession:
    """The state of one chat.

    `is_stopping` is set by the stop button and read by the stream that runs; `is_running` is True from the
    moment a message is sent until its answer has ended.
    """

    turns: list[Turn] = field(default_factory=list)
    is_running: bool = False
    is_stopping: bool = False

    def begin(self, text: str, model: str) -> Turn:
        """A new last turn, not answered yet."""
        turn = Turn(user=text, model=model)
        self.turns.append(turn)
        return turn

    def begin_again(self, index: int, text: str | None, model: str) -> Turn:
        """The turn `index` without its answer, everything after it dropped; `text` replaces what was said."""
        turn = self.turns[index]
        del self.turns[index + 1 :]
        self.turns[index] = Turn(user=turn.user if text is None else text, model=model)
        return self.turns[index]

    def clear(self) -> None:
        """Forgets the conversation. A stream that runs is asked to stop."""
        self.turns.clear()
        self.is_stopping = self.is_running

    def messages(self, system: str) -> tuple[Message, ...]:
        """The conversation as the model sees it, ending with the last user turn or its unfinished answer."""
        said: list[Message] = []
        if system.strip():
            said.append(Message(Role.SYSTEM, system))
        for turn in self.turns:
            said.append(Message(Role.USER, turn.user))
            if turn.answer or turn.metrics is not None:
                said.append(Message(Role.ASSISTANT, turn.answer))
        return tuple(said)


PANES = 4


def _panes() -> list[ChatSession]:
    return [ChatSession() for _ in range(PANES)]


@dataclass(slots=True)
class CompareSession:
    """The conversations of the Compare page, side by side; they run and stop together."""

    panes: list[ChatSession] = field(default_factory=_panes)
    is_running: bool = False
    is_stopping: bool = False

    def clear(self) -> None:
        """Forgets all of them. Streams that run are asked to stop."""
        for pane in self.panes:
            pane.clear()
        self.is_stopping = self.is_running

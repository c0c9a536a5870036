"""One browser tab's conversation. It lives in memory only and is gone with the tab."""

from __future__ import annotations

from dataclasses import dataclass, field

from guard.base import Verdict
from workbench.core.chat import Message, OutputFormat, Role, TokenLogprob, ToolCall
from workbench.ui.thread.metrics import AnswerMetrics

SECONDS_KEPT = 3600
"""How long a closed or idle tab's conversation stays in memory."""


@dataclass(slots=True)
class Turn:
    """What the user said, what came back so far, and the guard's verdicts on both.

    `metrics` is None until the answer has ended. `call_id` marks a turn in which the user gives a tool's result.
    `output_format` is what the answer was asked to be. `foot` keeps the markup under a finished answer with the
    numbers it shows: writing a thousand tokens anew at every paint of a later answer would slow that one down.
    """

    user: str
    answer: str = ""
    reasoning: str = ""
    model: str = ""
    call_id: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: list[TokenLogprob] = field(default_factory=list)
    output_format: OutputFormat | None = None
    metrics: AnswerMetrics | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    foot: tuple[AnswerMetrics, str] | None = field(default=None, repr=False, compare=False)

    @property
    def has_answer(self) -> bool:
        """True when anything came back."""
        return bool(self.answer or self.reasoning or self.tool_calls)


@dataclass(slots=True)
class ChatSession:
    """The state of one chat.

    `is_stopping` is set by the stop button and read by the stream that runs; `is_running` is True from the
    moment a message is sent until its answer has ended. `has_offers`: the page shows a button that goes on with the
    last answer, or sends again what was blocked.
    """

    turns: list[Turn] = field(default_factory=list)
    is_running: bool = False
    is_stopping: bool = False
    has_offers: bool = False

    def begin(self, text: str, model: str) -> Turn:
        """A new last turn, not answered yet; the result of a tool when a call waits for one."""
        call = self.open_call()
        turn = Turn(user=text, model=model, call_id=None if call is None else call.id)
        self.turns.append(turn)
        return turn

    def begin_again(self, index: int, text: str | None, model: str) -> Turn:
        """The turn `index` without its answer, everything after it dropped; `text` replaces what was said."""
        turn = self.turns[index]
        del self.turns[index + 1 :]
        said = turn.user if text is None else text
        self.turns[index] = Turn(user=said, model=model, call_id=turn.call_id)
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
            said.append(
                Message(Role.USER, turn.user)
                if turn.call_id is None
                else Message(Role.TOOL, turn.user, tool_call_id=turn.call_id)
            )
            if turn.has_answer or turn.metrics is not None:
                said.append(Message(Role.ASSISTANT, turn.answer, tool_calls=turn.tool_calls))
        return tuple(said)

    def open_call(self) -> ToolCall | None:
        """The first tool call of the last answer that has no result yet."""
        given: set[str | None] = set()
        for turn in reversed(self.turns):
            if turn.tool_calls:
                return next((call for call in turn.tool_calls if call.id not in given), None)
            if turn.call_id is None or turn.has_answer:
                return None
            given.add(turn.call_id)
        return None


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

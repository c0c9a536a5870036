"""Cutting token sequences into overlapping windows, so that no token of a long text goes unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_TOKENS = 128  # with [CLS] and [SEP]; the length the network was trained on
OVERLAP_TOKENS = 32  # a phrase this long is whole in at least one window
CONTEXT_TOKENS = 40  # of the prompt, when an answer is judged: its beginning and its end

CLS_ID = 101
SEP_ID = 102


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the network: `[CLS] user [SEP]` or `[CLS] user [SEP] assistant [SEP]`."""

    ids: tuple[int, ...]  # at most WINDOW_TOKENS
    user_length: int  # how many of `ids`, from the start, belong to the user's segment
    judges_response: bool

    @property
    def segments(self) -> list[int]:
        """0 for the user's tokens, 1 for the assistant's."""
        return [0] * self.user_length + [1] * (len(self.ids) - self.user_length)


def spans(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Half-open ranges of at most `size` that cover range(length), neighbours sharing at least `overlap`.

    The last range ends at `length` and is full where the text allows it. An empty text has one empty range.
    """
    if length <= size:
        return [(0, length)]
    starts = list(range(0, length - size, size - overlap))
    return [(start, start + size) for start in [*starts, length - size]]


def clip_context(ids: Sequence[int], limit: int = CONTEXT_TOKENS) -> list[int]:
    """The first and the last `limit / 2` tokens of a prompt that only gives context to an answer."""
    if len(ids) <= limit:
        return list(ids)
    half = limit // 2
    return [*ids[:half], *ids[len(ids) - (limit - half) :]]


def prompt_windows(ids: Sequence[int]) -> list[Window]:
    """Windows over a prompt's tokens (given without special tokens)."""
    return [
        Window((CLS_ID, *ids[start:end], SEP_ID), end - start + 2, False)
        for start, end in spans(len(ids), WINDOW_TOKENS - 2, OVERLAP_TOKENS)
    ]


def response_windows(prompt: Sequence[int], response: Sequence[int]) -> list[Window]:
    """Windows over an answer's tokens, each behind the same clipped prompt."""
    head = (CLS_ID, *clip_context(prompt), SEP_ID)
    room = WINDOW_TOKENS - len(head) - 1
    return [
        Window((*head, *response[start:end], SEP_ID), len(head), True)
        for start, end in spans(len(response), room, OVERLAP_TOKENS)
    ]

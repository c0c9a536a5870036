from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.logprobs import LegacyLogprobsWriter, chat_logprobs
from workbench.core.chat import TokenLogprob


def token(raw: bytes, logprob: float | None = -1.0, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
    return TokenLogprob(0, raw.decode("utf-8", "replace"), raw, logprob, top)


def test_parts_of_one_character_get_names_that_differ() -> None:
    halves = (token(b"\xc3"), token(b"\xa9"))
    written = LegacyLogprobsWriter().write(halves)
    assert written.tokens == ["bytes:\\xc3", "bytes:\\xa9"]
    assert written.text_offset == [0, 0]


def test_the_chosen_token_is_always_among_the_alternatives() -> None:
    best = token(b"a", -0.1)
    written = LegacyLogprobsWriter().write([token(b"b", -3.0, (best,))])
    assert written.top_logprobs == [{"a": -0.1, "b": -3.0}]


def test_without_alternatives_the_chosen_token_stands_alone() -> None:
    assert LegacyLogprobsWriter().write([token(b"b", -3.0)]).top_logprobs == [{"b": -3.0}]


@given(st.text(max_size=40), st.data())
def test_offsets_count_the_characters_before_a_token_however_the_text_is_cut(
    text: str, data: st.DataObject
) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)) | {0, len(raw)})
    pieces = [raw[start:end] for start, end in pairwise(cuts)]
    writer = LegacyLogprobsWriter()
    offsets = [offset for piece in pieces for offset in writer.write([token(piece)]).text_offset]
    before = [raw[:start].decode("utf-8", "ignore") for start in cuts[:-1]]
    assert offsets == [len(part) for part in before]


def test_a_chat_token_without_a_logprob_is_a_bug() -> None:
    with pytest.raises(ValueError, match="first token"):
        chat_logprobs([token(b"a", None)])

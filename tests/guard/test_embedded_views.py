"""What a disguise hides is read; what is not disguised is read once."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.embedded.views import LONGEST_WORD, clean, views

SENTENCE = "how do i bake a chocolate cake"


@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param("\u200b".join(SENTENCE), id="zero-width characters"),
        pytest.param(SENTENCE.replace("o", "\N{CYRILLIC SMALL LETTER O}"), id="look-alike letters"),
        pytest.param(
            "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in SENTENCE), id="full-width letters"
        ),
        pytest.param("how\x00 do\x07 i bake a chocolate\x1b cake", id="control characters"),
        pytest.param("h0w d0 i b4k3 a ch0c0l4t3 c4k3", id="leet"),
        pytest.param("  ".join(" ".join(word) for word in SENTENCE.split()), id="spaced letters"),
        pytest.param(base64.b64encode(SENTENCE.encode()).decode(), id="base64"),
    ],
)
def test_a_disguised_sentence_is_read(disguise: str) -> None:
    assert SENTENCE in views(disguise)


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "My laptop has 4GB of RAM and plays mp3 and h264",
        "Mail me at someone@example.org or call 555 0134",
        "In 1945 the war ended; in 2024 they met again.",
        "a3f5c8d91b7e2f4a6c8e0d2b4f6a8c0e",
    ],
)
def test_an_undisguised_text_is_read_once(text: str) -> None:
    assert views(text) == (text,)


def test_base64_that_is_not_text_is_left_alone() -> None:
    data = base64.b64encode(bytes(range(128, 190))).decode()
    assert data.replace(" ", "") in views(data)[-1].replace(" ", "")


def test_words_too_long_for_the_tokenizer_are_split() -> None:
    parts = clean("x" * 1000).split()
    assert max(map(len, parts)) <= LONGEST_WORD
    assert "".join(parts) == "x" * 1000


@given(st.text())
def test_every_text_has_a_view_without_control_characters(text: str) -> None:
    for view in views(text):
        assert all(char.isprintable() or char == " " for char in view if ord(char) < 128)

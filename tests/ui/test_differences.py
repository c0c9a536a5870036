from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.differences import difference_html, differences_html


def side(html: str, dropped: str) -> str:
    """The text of one of the two answers: the marks of the other one left out."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(rf"<{dropped}>.*?</{dropped}>", "", html, flags=re.DOTALL)))


@given(st.text(max_size=60), st.text(max_size=60))
def test_both_answers_can_be_read_back(base: str, other: str) -> None:
    html = difference_html(base, other)
    assert side(html, "del") == other
    assert side(html, "ins") == base


def test_only_the_words_that_differ_are_marked() -> None:
    assert difference_html("a red house", "a blue house") == "a <del>red</del><ins>blue</ins> house"


def test_text_is_not_markup() -> None:
    assert "<script>" not in difference_html("x", "<script>")


def test_each_answer_is_compared_with_the_first() -> None:
    html = differences_html([("A", "same"), ("B", "same"), ("C", "other")])
    assert "B, against A" in html
    assert "The same text." in html
    assert "C, against A" in html


def test_one_answer_has_nothing_to_differ_from() -> None:
    assert differences_html([("A", "text"), ("B", "")]) == ""

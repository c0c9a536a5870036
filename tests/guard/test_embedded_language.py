"""Texts in other languages are known to be out of reach."""

from __future__ import annotations

import pytest

from guard.embedded.language import is_english


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "How do I bake a cake for my sister?",
        "def main(): return [x for x in range(10)]",
        "Translate 'le petit prince' for me, please, and explain what it means",
        "12345 67890",
    ],
)
def test_english_and_doubtful_texts_pass(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wie kann ich einen Kuchen für meine Schwester backen?",
        "Comment puis-je faire un gâteau pour ma sœur et mon frère ?",
        "¿Cómo puedo hacer una tarta para mi hermana y mi hermano?",
        "Как испечь торт для моей сестры?",
        "我怎样才能为我妹妹烤一个蛋糕今天晚上",
        "كيف أخبز كعكة لأختي الصغيرة",
    ],
)
def test_other_languages_are_told_apart(text: str) -> None:
    assert not is_english(text)

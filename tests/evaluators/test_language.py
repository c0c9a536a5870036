from __future__ import annotations

import pytest

from evaluators.base import Answer, EvaluatorError, Sample
from evaluators.data import load_builtin
from evaluators.language import Language, language_of

NAMES = {"german": "de", "french": "fr", "spanish": "es"}


@pytest.mark.parametrize("tag", NAMES)
def test_the_translation_sets_references_are_told_apart(tag: str) -> None:
    """Short sentences may tell nothing, but hardly one is taken for another language."""
    texts = [sample.expected[0] for sample in load_builtin("translation").samples if tag in sample.tags]
    found = [language_of(text) for text in texts]
    told = [language for language in found if language is not None]
    assert len(told) >= len(texts) / 2
    assert sum(language == NAMES[tag] for language in told) >= 0.9 * len(told)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat sat on the mat and looked at all of us.", "en"),
        ("これは日本語の文です。", "ja"),
        ("这是一个中文句子。", "zh"),
        ("Это предложение на русском языке.", "ru"),
        ("12345 !!!", None),
        ("OK", None),
    ],
)
def test_letters_and_common_words_tell_the_language(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_the_sample_may_ask_for_another_language_than_the_settings() -> None:
    sample = Sample("s", metadata={"language": "de"})
    answer = Answer("Das ist ein Satz, und er ist nicht auf Englisch.")
    assert Language().score(sample, answer).value == 1.0
    assert Language().score(Sample("s"), answer).value == 0.0


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(EvaluatorError, match="not among"):
        Language("xx").score(Sample("s"), Answer("text"))

"""Language: whether an answer is written in the language that was asked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from evaluators.base import Answer, EvaluatorError, Need, Sample, Scale, Score

METADATA_KEY = "language"

_FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in is you that it he was for on are with as his they be this have from or by not but"
        " what all were we when your can said there an which do if will each how their",
        "de": "der die und das den von zu mit sich des auf für ist im dem nicht ein eine als auch es an er so dass"
        " kann sie nach wird bei noch wie einem über einen war haben nur oder aber ich wir sind",
        "fr": "le la les et des en un une du que est pour qui dans ce il pas sur plus au avec par je ne se sont"
        " mais nous vous ou elle cette son sa aux être ont",
        "es": "el la los las y de que en un una se no por con para su es al lo como más pero sus le ya o este sí"
        " porque esta entre cuando muy sin sobre también me hay",
        "it": "il la di che e un una per non in con del della è si le i da sono più come anche ma al gli nel ha"
        " questo alla dei lo mi ci essere",
        "pt": "o a os as de que e do da em um uma para com não por mais dos como mas foi ao ele das tem à seu sua"
        " ou ser quando muito há nos já está eu também",
        "nl": "de het een van en in is dat op te zijn met voor niet aan er om ook als maar bij nog uit naar heeft"
        " dan ze door over zich hij ik wordt kan werd",
    }.items()
}
_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "ja": ("HIRAGANA", "KATAKANA"),
    "zh": ("CJK",),
    "ko": ("HANGUL",),
    "ru": ("CYRILLIC",),
    "ar": ("ARABIC",),
    "hi": ("DEVANAGARI",),
    "th": ("THAI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
}
"""Languages told by their letters; of those that share letters the most spoken one stands for all."""
_LEAST_WORDS = 4
_LEAST_SHARE_OF_SCRIPT = 0.2
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Language:
    """1 when the answer is in the language asked for, else 0.

    The sample's metadata name it under "language", else `expected` does: en, de, fr, es, it, pt, nl by their
    commonest words, ja, zh, ko, ru, ar, hi, th, el, he by their letters. Short answers without a common word are
    unscored.
    """

    name: ClassVar[str] = "language"
    scale: ClassVar[Scale] = Scale.BINARY
    needs: ClassVar[Need] = Need.TEXT
    is_higher_better: ClassVar[bool | None] = True

    expected: str = "en"

    def score(self, sample: Sample, answer: Answer) -> Score:
        """Unscored where nothing tells the language.

        Raises: EvaluatorError for a language that is not among the known ones.
        """
        wanted = str(sample.metadata.get(METADATA_KEY, self.expected))
        if wanted not in _FUNCTION_WORDS and wanted not in _SCRIPTS:
            known = ", ".join((*_FUNCTION_WORDS, *_SCRIPTS))
            raise EvaluatorError(f"the language asked for is not among {known}")
        found = language_of(answer.text)
        if found is None:
            return Score.unscored("nothing tells the answer's language")
        return Score.passed(found == wanted, f"found {found}")


def language_of(text: str) -> str | None:
    """The text's language as a two-letter code, or None where nothing tells."""
    letters = [char for char in text if char.isalpha()]
    for language, scripts in _SCRIPTS.items():
        own = sum(unicodedata.name(char, "").startswith(scripts) for char in letters)
        if letters and own / len(letters) >= _LEAST_SHARE_OF_SCRIPT:
            return language
    words = _WORD.findall(text.casefold())
    if len(words) < _LEAST_WORDS:
        return None
    counts = {language: sum(word in common for word in words) for language, common in _FUNCTION_WORDS.items()}
    best, second = sorted(counts.values(), reverse=True)[:2]
    return None if best == second else max(counts, key=lambda language: counts[language])

"""Whether a text is in English, the one language the embedded classifier was trained on."""

from __future__ import annotations

import re

LEAST_LETTERS = 12  # shorter texts are not judged
LEAST_LATIN_SHARE = 0.7
WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH = _words(
    "the of and to a in is that it for on with as be are was how do i you what can my have this at from an or not"
    " me your will they we if but who which when where why would should could"
)
OTHER = (
    _words(
        "der die das und ist nicht ein eine wie ich mit auf für zu den von kann man "
        "le la les des et est un une pour dans que qui je ne pas sur avec comment du "
        "el los las y es por con para como una mi se cómo puedo qué "
        "il lo gli che di per come non sono posso "
        "o os as e do da em um uma não com como "
        "het een van ik niet hoe naar kan "
        "jak nie w na z się co to jest i"
    )
    - ENGLISH
)


def is_english(text: str) -> bool:
    """False when the text's letters or function words speak against English; True in doubt."""
    letters = [char for char in text if char.isalpha()]
    if len(letters) < LEAST_LETTERS:
        return True
    if sum(char.isascii() for char in letters) < LEAST_LATIN_SHARE * len(letters):
        return False
    words = [word.lower() for word in WORD.findall(text)]
    foreign = sum(word in OTHER for word in words)
    return foreign < 2 or foreign <= 2 * sum(word in ENGLISH for word in words)

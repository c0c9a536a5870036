"""Readings of a text: as written, once more with a light disguise taken off, and turn by turn where it plays turns.

Covered: invisible and look-alike characters, leet spelling, spaced-out letters, base64. Not covered: ciphers, other
encodings, text split over several turns, words hidden as initials.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

LONGEST_WORD = 60  # the tokenizer maps words above 100 characters to one unknown token, which would hide them
BASE64_RUN = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
SPACED_LETTERS = re.compile(r"(?<!\w)\w(?:[ .\-_*]{1,3}\w){3,}(?!\w)")
WORD_GAP = re.compile(r"[ .\-_*]{2,}")
LETTER_GAP = re.compile(r"[ .\-_*]")
LEET_WORD = re.compile(r"(?<![\w@$])(?=[\d@$]*[A-Za-z])(?=[A-Za-z]*[013457@$])[A-Za-z013457@$]{2,}(?![\w@$])")
SURE_LEET = re.compile(r"[A-Za-z][013457$]+[A-Za-z]")  # a digit inside a word, unlike "4GB" and "mp3"
TURN_MARK = re.compile(r"(?:^|[\n\r])\s*(?:user|human|agent|assistant|system|ai)\s*:", re.IGNORECASE)
LEET = str.maketrans("013457@$", "oieastas")
LOOK_ALIKES = str.maketrans("асеорхуіјѕԁһԛԝκαορτυν", "aceopxyijsdhqwkaoptuv")
INVISIBLE = {"Cf", "Cc", "Cs", "Co"}


def clean(text: str) -> str:
    """`text` in compatibility form, on one line, without invisible characters, mixed-script words in Latin letters.

    Words longer than `LONGEST_WORD` are split, so that the tokenizer can read them.
    """
    return _one_line(_visible(text))


def _visible(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if char in "\n\t\r" else "" if unicodedata.category(char) in INVISIBLE else char for char in text
    )


def _one_line(text: str) -> str:
    return " ".join(_readable(word) for word in text.split())


def _readable(word: str) -> str:
    if not word.isascii() and any("a" <= char.lower() <= "z" for char in word):
        word = word.translate(LOOK_ALIKES)
    if len(word) <= LONGEST_WORD:
        return word
    return " ".join(word[start : start + LONGEST_WORD] for start in range(0, len(word), LONGEST_WORD))


def undisguised(text: str) -> str:
    """The text with spaced letters joined, leet spelled out and base64 decoded, then cleaned."""
    text = BASE64_RUN.sub(_decoded, _visible(text))
    text = SPACED_LETTERS.sub(_joined, text)
    return _one_line(_spelled_out(text))


def _joined(match: re.Match[str]) -> str:
    return " ".join(LETTER_GAP.sub("", word) for word in WORD_GAP.split(match.group()))


def _spelled_out(text: str) -> str:
    """Words with a digit inside them in letters; where there are two of them, also "d0" and "1t"."""
    words = [match.group() for match in LEET_WORD.finditer(text)]
    is_leet = sum(SURE_LEET.search(word) is not None for word in words) > 1
    return LEET_WORD.sub(
        lambda match: (
            match.group().translate(LEET) if is_leet or SURE_LEET.search(match.group()) else match.group()
        ),
        text,
    )


def _decoded(match: re.Match[str]) -> str:
    run = match.group()
    try:
        plain = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return run
    readable = sum(char.isalpha() or char.isspace() for char in plain)
    return clean(plain) if readable >= 0.8 * len(plain) else run


def played_turns(text: str) -> list[str]:
    """What stands between the lines of a text that begin like a turn ("Agent:"); empty without such lines.

    A refusal that was written into a message must not make what the message asks look answered.
    """
    if not TURN_MARK.search(text):
        return []
    return [cleaned for part in TURN_MARK.split(text) if (cleaned := clean(part))]


def views(text: str) -> tuple[str, ...]:
    """The cleaned text, its undisguised reading where that differs, and the turns it plays; never empty."""
    return tuple(dict.fromkeys((clean(text), undisguised(text), *played_turns(text))))

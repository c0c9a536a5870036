"""What Llama Guard wrote, read strictly: `safe`, or `unsafe` and the codes on the lines after it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPECIAL_TOKENS = re.compile(r"(?:<\|[a-z_]+\|>|</s>)\s*\Z")
_CODE = re.compile(r"\b[SO]\d{1,2}\b", re.IGNORECASE)


class GarbledVerdict(ValueError):
    """The text is neither verdict: it must never be taken for "safe"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict and the category codes with it, in the order written, each once. `safe` has none."""

    is_unsafe: bool
    codes: tuple[str, ...] = ()


def parse_answer(text: str) -> Answer:
    """The verdict in `text`. White space around it and one closing special token are allowed.

    "unsafe" without codes is legal; so are codes the policy does not have. "safe" stands alone.
    Raises: GarbledVerdict for anything else; its message does not quote the text.
    """
    lines = [line.strip() for line in _SPECIAL_TOKENS.sub("", text).strip().split("\n")]
    word = lines[0].lower()
    rest = "\n".join(lines[1:])
    if word == "unsafe":
        return Answer(is_unsafe=True, codes=parse_codes(rest))
    if word == "safe" and not rest.strip():
        return Answer(is_unsafe=False)
    raise GarbledVerdict("the guard's answer is neither `safe` nor `unsafe`")


def parse_codes(text: str) -> tuple[str, ...]:
    """The category codes in `text`, in upper case, in the order written, each once."""
    return tuple(dict.fromkeys(code.upper() for code in _CODE.findall(text)))

"""Whether a request for a model was made before: the same hub id, or nearly the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

NEARLY_THE_SAME = 0.7
"""Share of words in common, in order (difflib's ratio), from which on two texts are worth showing to a person."""

_LONGEST_WORDS = 400
_HUB_ADDRESS = re.compile(r"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/(models/)?")
_INSIDE_A_REPOSITORY = re.compile(r"(/(tree|blob|resolve|discussions)/.*)?[/?#]*$")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is compared of a request: its hub id ("" for none) and its words."""

    hub_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a request is: `has_same_hub_id`, and the share of words in common, from 0 to 1."""

    has_same_hub_id: bool
    words: float

    @property
    def is_duplicate(self) -> bool:
        """True when a person should look before asking again."""
        return self.has_same_hub_id or self.words >= NEARLY_THE_SAME


def plain_hub_id(text: str) -> str:
    """A hub id as it is compared: lower case, without the hub's address or a path inside the repository."""
    stripped = _HUB_ADDRESS.sub("", text.strip().lower())
    return _INSIDE_A_REPOSITORY.sub("", stripped)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())[:_LONGEST_WORDS]


def likeness(mine: Wording, other: Wording) -> Likeness:
    """How like two requests are. Requests without words have none in common."""
    hub_id = plain_hub_id(mine.hub_id)
    same = hub_id != "" and hub_id == plain_hub_id(other.hub_id)
    mine_words, other_words = _words(mine.text), _words(other.text)
    if not mine_words or not other_words:
        return Likeness(same, 0.0)
    matcher = SequenceMatcher(None, mine_words, other_words, autojunk=False)
    if matcher.real_quick_ratio() < NEARLY_THE_SAME or matcher.quick_ratio() < NEARLY_THE_SAME:
        return Likeness(same, 0.0)  # upper bounds: the exact ratio would be too low as well
    return Likeness(same, matcher.ratio())


def duplicates(mine: Wording, others: Iterable[tuple[str, Wording]]) -> list[tuple[str, Likeness]]:
    """The ids of requests that are duplicates of `mine`, the likest first: same hub id, then most words."""
    found = [(request_id, likeness(mine, other)) for request_id, other in others]
    found = [(request_id, alike) for request_id, alike in found if alike.is_duplicate]
    return sorted(found, key=lambda row: (not row[1].has_same_hub_id, -row[1].words))

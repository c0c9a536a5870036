"""The hazards S1..S14 (MLCommons' taxonomy as Llama Guard 3 and 4 number it) and OpenAI's category names.

Guards that number their categories otherwise are mapped by *name*: Llama Guard 2's S5..S11 are other hazards
than S5..S11 here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from guard.base import Hazard

STANDARD_HAZARDS: tuple[Hazard, ...] = (
    Hazard("S1", "Violent Crimes"),
    Hazard("S2", "Non-Violent Crimes"),
    Hazard("S3", "Sex-Related Crimes"),
    Hazard("S4", "Child Sexual Exploitation"),
    Hazard("S5", "Defamation"),
    Hazard("S6", "Specialized Advice"),
    Hazard("S7", "Privacy"),
    Hazard("S8", "Intellectual Property"),
    Hazard("S9", "Indiscriminate Weapons"),
    Hazard("S10", "Hate"),
    Hazard("S11", "Suicide & Self-Harm"),
    Hazard("S12", "Sexual Content"),
    Hazard("S13", "Elections"),
    Hazard("S14", "Code Interpreter Abuse"),
)
STANDARD_BY_CODE: Mapping[str, Hazard] = {hazard.code: hazard for hazard in STANDARD_HAZARDS}

# Names that model cards and prompts use for the same hazard.
_ALIASES: Mapping[str, str] = {
    "sex crimes": "S3",
    "child exploitation": "S4",
    "self-harm": "S11",
}
_BY_NAME: Mapping[str, Hazard] = {
    **{hazard.name.lower(): hazard for hazard in STANDARD_HAZARDS},
    **{alias: STANDARD_BY_CODE[code] for alias, code in _ALIASES.items()},
}

OPENAI_CATEGORIES: tuple[str, ...] = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""The category names of OpenAI's moderation endpoint."""

_OPENAI_NAME: Mapping[str, str] = {
    "S1": "violence",
    "S2": "illicit",
    "S3": "sexual",
    "S4": "sexual/minors",
    "S9": "illicit/violent",
    "S10": "hate",
    "S11": "self-harm",
    "S12": "sexual",
    "S14": "illicit",
}
"""Where a hazard has an OpenAI name: the nearest one by both definitions. S5..S8 and S13 have none."""

UNSPECIFIED_CATEGORY = "unspecified"
"""The category of a text that a guard calls unsafe without saying why."""


def hazard_by_name(name: str) -> Hazard:
    """The standard hazard of that name or alias, whatever its case; else one coded by its name."""
    plain = name.strip().rstrip(".").strip()
    return _BY_NAME.get(plain.lower()) or Hazard(slug(plain), plain)


def category_name(hazard: Hazard) -> str:
    """OpenAI's name for the hazard or, where there is none, the hazard's own name in the same style."""
    return _OPENAI_NAME.get(hazard.code) or slug(hazard.name)


def slug(name: str) -> str:
    """`name` in lower case with hyphens: "Intellectual Property" -> "intellectual-property"."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-") or UNSPECIFIED_CATEGORY

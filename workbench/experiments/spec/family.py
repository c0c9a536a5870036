"""Families of models: a judge favours its relatives, so it never judges one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.core.errors import ConfigurationError

_FAMILY = re.compile(r"[a-z]+")
_MAKERS = frozenset({"meta", "google", "microsoft", "ibm", "nvidia", "openai", "base", "tiny"})
"""Words that stand before a family's name in a model's name."""


def family_of(model: str) -> str:
    """The model's family by its name: "Meta-Llama-3.1-8B" is a "llama", "SmolLM2-135M-Instruct:int8" a "smollm"."""
    name = model.rpartition("/")[2].casefold()
    words = _FAMILY.findall(name)
    return next((word for word in words if word not in _MAKERS), name)


def refuse_own_family(judge: str, contestants: Sequence[str]) -> None:
    """Nothing, for a judge that is no relative of any contestant.

    Raises: ConfigurationError naming both.
    """
    own = next((model for model in contestants if family_of(model) == family_of(judge)), None)
    if own is not None:
        raise ConfigurationError(
            f"The judge {judge} is of the family of {own}, and judges favour their own: choose another family's."
        )

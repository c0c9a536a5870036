"""JSON-schema and tool grammars as token masks, through llguidance."""

from __future__ import annotations

from typing import Protocol

import torch


class Matcher(Protocol):
    """A grammar's state along one choice."""

    def fill(self, allowed: torch.Tensor) -> None:
        """Writes which tokens may come next into a bool tensor [V]."""
        ...

    def take(self, token_id: int) -> None:
        """Follows the token that was chosen."""
        ...

    @property
    def is_complete(self) -> bool:
        """True when nothing but the end may follow."""
        ...


class Grammar(Protocol):
    """A compiled grammar; each choice gets its own matcher."""

    def matcher(self) -> Matcher:
        """A fresh state at the grammar's start."""
        ...

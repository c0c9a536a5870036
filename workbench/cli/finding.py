"""One line of `workbench doctor`'s report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and what there is; `cure` is what to do when `is_fine` is false."""

    name: str
    value: str
    is_fine: bool = True
    cure: str = ""

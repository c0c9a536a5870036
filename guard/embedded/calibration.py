"""From raw logits to probabilities, and where to cut them: the numbers stored in `calibration.json`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class PlattScale:
    """P(unsafe) = sigmoid(slope * logit + offset) (Platt, 1999)."""

    slope: float
    offset: float

    def probability(self, logit: float) -> float:
        """In [0, 1], increasing in `logit` for a positive slope."""
        value = self.slope * logit + self.offset
        return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The scales of the two heads, and the P(unsafe) from which each calls a text unsafe."""

    version: str
    prompt: PlattScale
    response: PlattScale
    prompt_threshold: float
    response_threshold: float

    def to_json(self) -> str:
        """As stored."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """From what `to_json` gave.

        Raises:
            KeyError: a number is missing.
        """
        stored = json.loads(text)
        return cls(
            version=stored["version"],
            prompt=PlattScale(**stored["prompt"]),
            response=PlattScale(**stored["response"]),
            prompt_threshold=stored["prompt_threshold"],
            response_threshold=stored["response_threshold"],
        )

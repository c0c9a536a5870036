"""P("unsafe") at the token where the verdict is decided.

Source: Llama Guard's model cards ("we look at the probability for the first token, and use that as the
'unsafe' class probability"), renormalised over the two verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.core.chat import TokenLogprob

_VERDICTS = ("safe", "unsafe")
TOP_LOGPROBS = 20
"""How many alternatives to ask for: the most OpenAI's API gives."""

LEAST_MASS = 0.5
"""The least P(safe) + P(unsafe) that is an answer: a model that mostly wants to say something else gave none."""


@dataclass(frozen=True, slots=True)
class VerdictToken:
    """Where the verdict was decided: `position` in the tokens, and P("unsafe") there, in [0, 1]."""

    position: int
    p_unsafe: float


def verdict_token(tokens: Sequence[TokenLogprob]) -> VerdictToken | None:
    """The first token that is not white space, scored by its alternatives, if it begins a verdict.

    None when the model began to say something else, or when no token carries text or a logprob.
    """
    for position, token in enumerate(tokens):
        if token.text.strip():
            p_unsafe = _p_unsafe(token) if _verdict_begun(token.text) else None
            return None if p_unsafe is None else VerdictToken(position, p_unsafe)
    return None


def _p_unsafe(token: TokenLogprob) -> float | None:
    """P(unsafe) / (P(safe) + P(unsafe)) among the token and its alternatives, each token counted once.

    A verdict that is not among them counts as 0: it is less likely than the last of them. None below
    LEAST_MASS.
    """
    mass = dict.fromkeys(_VERDICTS, 0.0)
    for candidate in _distinct((token, *token.top)):
        verdict = _verdict_begun(candidate.text)
        if verdict is not None and candidate.logprob is not None:
            mass[verdict] += math.exp(candidate.logprob)
    total = mass["safe"] + mass["unsafe"]
    return mass["unsafe"] / total if total >= LEAST_MASS else None


def _distinct(tokens: Iterable[TokenLogprob]) -> Iterable[TokenLogprob]:
    """Remote endpoints give no ids (all -1 or 0), so the bytes tell tokens apart."""
    return {(token.token_id, token.bytes, token.text): token for token in tokens}.values()


def _verdict_begun(text: str) -> str | None:
    """The verdict the token is, or begins: tokenizers that lack the word split it ("uns", "afe")."""
    piece = text.strip().lower()
    return next((verdict for verdict in _VERDICTS if piece and verdict.startswith(piece)), None)

"""Long texts, judged in overlapping windows: nothing is cut off unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from guard.base import Hazard, Verdict, VerdictState

_SEVERITY = {VerdictState.SAFE: 0, VerdictState.UNAVAILABLE: 1, VerdictState.UNSAFE: 2}


def split_text(text: str, size: int, overlap: int) -> list[str]:
    """`text` in pieces of at most `size` characters; each begins `overlap` before the last one ends.

    Always at least one piece; an empty text is one empty piece.
    Raises: ValueError unless 0 <= overlap < size.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} does not fit into windows of {size} characters")
    if len(text) <= size:
        return [text]
    return [text[start : start + size] for start in range(0, len(text) - overlap, size - overlap)]


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict for the windows of one text.

    Unsafe as soon as one window is; else unavailable as soon as one is, because an unjudged window may hide
    anything. Scores are the highest seen (none where the whole is unavailable), hazards those of the unsafe
    windows, `latency_ms` the sum.
    Raises: ValueError when there is no verdict.
    """
    if not verdicts:
        raise ValueError("no windows were judged")
    chief = max(verdicts, key=lambda verdict: (_SEVERITY[verdict.state], verdict.p_unsafe or 0.0))
    scores: dict[str, float] = {}
    hazards: dict[Hazard, None] = {}
    reported: dict[str, None] = {}
    for verdict in verdicts:
        for code, score in verdict.hazard_scores.items():
            scores[code] = max(score, scores.get(code, 0.0))
        if verdict.is_flagged:
            hazards.update(dict.fromkeys(verdict.hazards))
            reported.update(dict.fromkeys(verdict.reported_codes))
    known = [verdict.p_unsafe for verdict in verdicts if verdict.p_unsafe is not None]
    return replace(
        chief,
        p_unsafe=max(known, default=None) if chief.is_available else None,
        hazards=tuple(hazards),
        hazard_scores=scores,
        reported_codes=tuple(reported),
        latency_ms=sum(verdict.latency_ms for verdict in verdicts),
    )

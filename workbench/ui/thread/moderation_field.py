"""The page's screening as the API's `moderation` field."""

from __future__ import annotations

from guard.policy import DirectionPolicy, Mode
from snippets import Moderation, ModerationMode, ModerationSide
from workbench.screening import EMBEDDED, ScreeningChoice

_MODES = {Mode.SCORE: ModerationMode.SCORE, Mode.BLOCK: ModerationMode.BLOCK}
"""Shadow has no place in a request: it is the operator's, and shows nothing."""


def moderation_of(choice: ScreeningChoice | None) -> Moderation | None:
    """What a request says to be screened like this; None where it would say nothing."""
    if choice is None:
        return None
    inward, outward = _side(choice.policy.input), _side(choice.policy.output)
    if inward is None and outward is None:
        return None
    return Moderation(choice.guard or EMBEDDED, inward, outward)


def _side(policy: DirectionPolicy) -> ModerationSide | None:
    mode = _MODES.get(policy.mode)
    if mode is None:
        return None
    return ModerationSide(mode, policy.threshold, tuple(sorted(policy.categories or ())))

"""How generated examples are run here."""

from __future__ import annotations

from hypothesis import settings

# A slow machine is no wrong answer: examples have no time limit.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

from __future__ import annotations

import pytest

from evaluators.base import Answer, Sample
from evaluators.unsafe_answer import UnsafeAnswer


@pytest.mark.parametrize(("flagged", "value"), [(True, 1.0), (False, 0.0), (None, None)])
def test_a_guard_that_cannot_tell_never_says_safe(flagged: bool | None, value: float | None) -> None:
    assert UnsafeAnswer().score(Sample("s"), Answer("text", is_flagged=flagged)).value == value

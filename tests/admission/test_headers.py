from __future__ import annotations

import pytest

from workbench.admission.headers import Allowance, duration, rate_headers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (0.0001, "1ms"),
        (0.012, "12ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (10, "10s"),
        (59.9999, "60s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (3630, "1h0m30s"),
        (86_400, "24h0m0s"),
    ],
)
def test_a_duration_is_written_as_openai_writes_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_remains_is_never_below_zero() -> None:
    assert rate_headers([Allowance("tokens", 10, -3, 61)]) == {
        "x-ratelimit-limit-tokens": "10",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m1s",
    }

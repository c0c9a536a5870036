from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from workbench.recent_calls import RecentCall
from workbench.ui.api_view.elsewhere import elsewhere_html

CALL = RecentCall(
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "id-of-a-key",
    "owner/model",
    "chat",
    "200",
    1.5,
    0.08,
    1200,
    34,
)


def test_a_call_is_told_in_numbers_with_its_keys_name() -> None:
    html = elsewhere_html([CALL], {"id-of-a-key": "nightly <run>"})
    for fact in ("03:04:05", "nightly &lt;run&gt;", "model", "200", "80 ms", "1.50 s", "1,200", "34"):
        assert f"<td>{fact}</td>" in html


def test_a_call_without_a_token_has_no_first_one_and_a_caller_who_left_is_said() -> None:
    html = elsewhere_html([replace(CALL, ttft_seconds=None, status="499")], {})
    assert "<td></td>" in html
    assert "the caller left" in html
    assert "<td>id-of-a-</td>" in html


def test_before_the_first_call_the_place_says_what_will_be_there() -> None:
    assert "Nothing yet" in elsewhere_html([], {})

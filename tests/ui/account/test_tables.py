from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from workbench.core.access import KeyKind
from workbench.core.caller import CallerLimits
from workbench.store import DayOfUse, KeyRecord
from workbench.ui.account.tables import key_choices, keys_table, usage_table

NOW = datetime.now(UTC)


def key(name: str = "ci", **changes: object) -> KeyRecord:
    values: dict[str, object] = {
        "id": f"key_{name}",
        "name": name,
        "kind": KeyKind.INFERENCE,
        "account": "ada",
        "prefix": "abcd",
        "models": None,
        "limits": CallerLimits(),
        "moderation": None,
        "created_at": NOW,
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "previous_until": None,
    }
    return KeyRecord(**{**values, **changes})  # type: ignore[arg-type]


def use(day: int, model: str, account: str = "ada", tokens: int = 10) -> DayOfUse:
    return DayOfUse(date(2026, 1, day), account, None, model, 1, tokens, 5, 0.5)


def test_a_keys_name_is_text_and_never_markup() -> None:
    table = keys_table([key("<img src=x onerror=alert(1)>")])
    assert "<img" not in table
    assert "&lt;img" in table


def test_a_table_says_what_a_key_is_good_for() -> None:
    past, ahead = NOW - timedelta(days=1), NOW + timedelta(days=1)
    for changes, expected in (
        ({}, "works"),
        ({"revoked_at": past}, "revoked"),
        ({"expires_at": past}, "expired"),
        ({"previous_until": ahead}, "the one before until"),
        ({"limits": CallerLimits(2, None, 1000)}, "2 at once, 1,000 tokens a day"),
    ):
        assert expected in keys_table([key(**changes)])


def test_only_keys_that_open_something_can_be_chosen() -> None:
    past = NOW - timedelta(days=1)
    keys = [key("a"), key("b", revoked_at=past), key("c", expires_at=past)]
    assert [id_ for _, id_ in key_choices(keys)] == ["key_a"]


def test_no_use_is_a_sentence() -> None:
    assert "Nothing was used" in usage_table([])


def test_sums_are_told_apart_by_account_only_where_asked() -> None:
    days = [use(1, "m"), use(2, "m"), use(2, "m", "bob")]
    assert usage_table(days).count("<tr>") == 2
    assert usage_table(days, by_account=True).count("<tr>") == 3

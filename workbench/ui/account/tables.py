"""Keys, use and accounts as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from workbench.store import Account, DayOfUse, KeyRecord
from workbench.ui.tables import minute, table_html


def key_state(key: KeyRecord, now: datetime) -> str:
    """What the key is good for at this moment."""
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_alive(now):
        return "expired"
    if key.disabled_at is not None:
        return "disabled"
    if key.previous_until is not None and now < key.previous_until:
        return f"works; the one before until {minute(key.previous_until, '')}"
    return "works"


def _limits(key: KeyRecord) -> str:
    said = (
        (key.limits.concurrency, "at once"),
        (key.limits.requests_per_minute, "a minute"),
        (key.limits.tokens_per_day, "tokens a day"),
    )
    return ", ".join(f"{value:,} {unit}" for value, unit in said if value is not None) or "none"


def keys_table(keys: Sequence[KeyRecord], *, shows_owner: bool = False) -> str:
    """The keys with what each may do and when it was last used. Times are UTC."""
    now = datetime.now(UTC)
    heads = ["Name", "Begins with", "State", "Expires", "Models", "Limits", "Last used"]
    rows = [
        [
            key.name,
            f"wb-{key.prefix}…",
            key_state(key, now),
            minute(key.expires_at, "never"),
            "all" if key.models is None else ", ".join(sorted(key.models)),
            _limits(key),
            minute(key.last_used_at, "never"),
        ]
        for key in keys
    ]
    if shows_owner:
        heads = ["Account", *heads]
        rows = [[key.account, *row] for key, row in zip(keys, rows, strict=True)]
    return table_html("Keys", heads, rows, "No keys yet. Make one below.")


def key_choices(keys: Sequence[KeyRecord]) -> list[tuple[str, str]]:
    """(label, id) of the keys that open something, or would once they are enabled."""
    now = datetime.now(UTC)
    return [(f"{key.name} (wb-{key.prefix}…)", key.id) for key in keys if key.is_alive(now)]


def usage_table(days: Sequence[DayOfUse], *, by_account: bool = False) -> str:
    """Totals by model, or by account and model."""
    sums: dict[tuple[str, str], list[float]] = {}
    for use in days:
        total = sums.setdefault((use.account if by_account else "", use.model), [0, 0, 0, 0.0])
        for place, value in enumerate((use.requests, use.prompt_tokens, use.completion_tokens, use.credits)):
            total[place] += value
    rows = [
        [account, model, f"{total[0]:,.0f}", f"{total[1]:,.0f}", f"{total[2]:,.0f}", f"{total[3]:.4f}"]
        for (account, model), total in sorted(sums.items())
    ]
    heads = ["Account", "Model", "Requests", "Tokens in", "Tokens out", "Credits"]
    if not by_account:
        heads, rows = heads[1:], [row[1:] for row in rows]
    return table_html("Use by model", heads, rows, "Nothing was used in this time.")


def accounts_table(accounts: Sequence[Account]) -> str:
    """Every account."""
    rows = [
        [
            account.name,
            account.role.value,
            "closed" if account.disabled_at is not None else "open",
            minute(account.created_at, ""),
            minute(account.last_login_at, "never"),
        ]
        for account in accounts
    ]
    heads = ["Name", "Role", "State", "Made", "Last log-in"]
    return table_html(
        "Accounts", heads, rows, "No accounts. `workbench users create NAME --admin` makes the first."
    )

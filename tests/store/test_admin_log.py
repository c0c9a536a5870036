from __future__ import annotations

from tests.store.clock import Clock
from workbench.store import Store


async def test_the_newest_actions_come_first_and_bounded(store: Store, clock: Clock) -> None:
    for number in range(5):
        await store.admin_log.add("root", "key.revoke", f"key_{number}")
        clock.advance(seconds=1)
    lines = await store.admin_log.newest(2)
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("root", "key.revoke", "key_4"),
        ("root", "key.revoke", "key_3"),
    ]
    assert lines[0].at > lines[1].at

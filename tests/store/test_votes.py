from __future__ import annotations

from tests.store.clock import Clock
from workbench.store import Store


async def test_votes_are_an_accounts_own_and_keep_their_order(store: Store, clock: Clock) -> None:
    await store.votes.add("anna", "a/one", "b/two", "left")
    clock.advance(seconds=1)
    await store.votes.add("bert", "a/one", "b/two", "right")
    await store.votes.add("anna", "b/two", "a/one", "both_bad")
    found = await store.votes.of("anna")
    assert [(vote.left, vote.right, vote.outcome) for vote in found] == [
        ("a/one", "b/two", "left"),
        ("b/two", "a/one", "both_bad"),
    ]
    assert found[0].at < found[1].at
    assert len(await store.votes.of("bert")) == 1

"""Every guard of the registry opens, speaks the protocol, and fails closed."""

from __future__ import annotations

import inspect

import pytest

from guard.base import Direction, Guard, GuardOptions, VerdictState
from guard.llama_guard import GENERATIONS
from guard.taxonomy import STANDARD_HAZARDS, category_name, hazard_by_name, slug
from tests.guard.fakes import CONTEXT, FakeModel, Reply, user
from workbench.core.errors import ConfigurationError
from workbench.core.registry import GUARDS, load

QUICK = [name for name in GUARDS if name != "embedded"]
"""All but the one that loads weights, which has tests of its own."""


def test_every_llama_guard_is_registered_and_nothing_is_registered_twice() -> None:
    assert set(GENERATIONS) <= set(GUARDS)
    assert "off" in GUARDS


@pytest.mark.parametrize("name", [*GENERATIONS, "off"])
async def test_a_registered_guard_fails_closed(name: str) -> None:
    model = FakeModel(lambda _: Reply(text="I cannot help with that."))
    guard: Guard = load(GUARDS, name, "guard")(GuardOptions(name), model)
    assert guard.name == name
    assert guard.fingerprint
    verdicts = await guard.check_many([[user("a")], [user("b")]], Direction.INPUT, CONTEXT)
    assert [verdict.state for verdict in verdicts] == [VerdictState.UNAVAILABLE] * 2
    assert all(verdict.reason for verdict in verdicts)


@pytest.mark.parametrize("name", QUICK)
def test_a_registered_guard_has_the_protocols_signatures(name: str) -> None:
    model = FakeModel(lambda _: Reply())
    guard = load(GUARDS, name, "guard")(GuardOptions(name), model)
    for method in ("check", "check_many"):
        wanted = list(inspect.signature(getattr(Guard, method)).parameters)[1:]
        assert list(inspect.signature(getattr(guard, method)).parameters) == wanted


def test_an_unknown_guard_is_refused_with_the_known_names() -> None:
    with pytest.raises(ConfigurationError, match="llama-guard-4-12b"):
        load(GUARDS, "bouncer", "guard")


def test_names_of_hazards_find_the_standard_ones() -> None:
    for hazard in STANDARD_HAZARDS:
        assert hazard_by_name(f" {hazard.name.upper()}. ") == hazard
    assert hazard_by_name("Sex Crimes.").code == "S3"
    assert hazard_by_name("Self-Harm").code == "S11"
    assert hazard_by_name("Ticket Numbers").code == "ticket-numbers"


def test_every_hazard_has_a_category_name() -> None:
    assert all(category_name(hazard) for hazard in STANDARD_HAZARDS)
    assert slug("Intellectual Property") == "intellectual-property"
    assert slug("!?") == "unspecified"

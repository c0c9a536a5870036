"""What holds after every step, whatever comes, ends, or gives up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from workbench.admission.places import Call, Places, Rules
from workbench.core.chat import TrafficClass

_SCOPES = ("a", "b", "c")
_MODELS = ("x", "y")


class GateMachine(RuleBasedStateMachine):
    """Calls of three scopes come to two models, in every class, with and without limits, and leave at random."""

    @initialize(
        x=st.integers(1, 4),
        y=st.integers(1, 4),
        total=st.none() | st.integers(1, 6),
        queue_size=st.integers(0, 5),
        spare=st.integers(0, 1),
        limits=st.fixed_dictionaries({scope: st.none() | st.integers(1, 3) for scope in _SCOPES}),
    )
    def open(
        self,
        x: int,
        y: int,
        total: int | None,
        queue_size: int,
        spare: int,
        limits: dict[str, int | None],
    ) -> None:
        self.capacity = {"x": x, "y": y}
        self.bounds = Rules(total=total, queue_size=queue_size)
        self.spare = spare
        self.limits = limits
        self.places = Places(self.capacity.__getitem__, self.bounds, lambda model: spare)
        self.calls: list[Call] = []

    @rule(
        scope=st.sampled_from(_SCOPES),
        model=st.sampled_from(_MODELS),
        choices=st.integers(1, 6),
        traffic=st.sampled_from(TrafficClass),
    )
    def arrive(self, scope: str, model: str, choices: int, traffic: TrafficClass) -> None:
        before = {model: self.places.in_use_of(model) for model in _MODELS}
        call = Call(scope, model, choices, traffic, self.limits[scope])
        refused = self.places.arrive(call)
        self.calls.append(call)
        if refused is not None:
            assert refused.held == 0
            self.calls.remove(refused)
        if traffic is TrafficClass.LOAD and self.places.in_use_of(model) > before[model]:
            reserve = min(1, min(self.capacity[model], self.bounds.total or 99) - 1)
            assert self.places.in_use_of(model) <= self.capacity[model] - reserve

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls))
        self.calls.remove(call)
        self.places.leave(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def finish_choice(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls))
        was_unfinished = call.unfinished
        self.places.finish_choice(call)
        assert call.unfinished in (was_unfinished, was_unfinished - 1)

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        for model, capacity in self.capacity.items():
            assert self.places.in_use_of(model) <= capacity + self.spare
        if self.bounds.total is not None:
            assert self.places.in_use <= self.bounds.total
        for scope, limit in self.limits.items():
            assert limit is None or self.places.held_by(scope) <= limit
        assert len(self.places.queue()) <= self.bounds.queue_size

    @invariant()
    def every_call_is_in_or_waits_and_the_counts_are_the_calls(self) -> None:
        assert Counter(self.calls) == Counter([*self.places.running, *self.places.queue()])
        assert self.places.in_use == sum(call.held for call in self.calls)
        for scope in _SCOPES:
            assert self.places.held_by(scope) == sum(call.held for call in self.calls if call.scope == scope)

    @invariant()
    def a_call_that_is_in_holds_between_one_place_and_what_it_can_use(self) -> None:
        for call in self.places.running:
            assert min(1, call.unfinished) <= call.allowed <= call.held <= call.unfinished
        assert all(call.held == 0 for call in self.places.queue())

    @invariant()
    def no_place_stays_empty_while_someone_could_take_it(self) -> None:
        wanting = [call for call in self.places.running if 0 < call.held < call.unfinished]
        assert all(self.places.room(call) < 1 for call in [*self.places.queue(), *wanting])

    def teardown(self) -> None:
        for call in getattr(self, "calls", []):
            self.places.leave(call)
        if hasattr(self, "places"):
            assert (self.places.in_use, self.places.running, self.places.queue()) == (0, (), [])


GateMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestGateHolds = GateMachine.TestCase


@settings(deadline=None)
@given(
    capacity=st.integers(1, 4),
    hostile=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30),
    flood=st.lists(st.sampled_from("abcdefghij"), min_size=20, max_size=20),
    data=st.data(),
)
def test_a_scope_that_holds_nothing_waits_for_each_other_scope_once_whatever_comes_later(
    capacity: int, hostile: list[str], flood: list[str], data: st.DataObject
) -> None:
    places = Places(lambda _model: capacity, Rules(queue_size=1000))
    for scope in hostile:
        places.arrive(Call(scope, "m", 1))
    mine = Call("me", "m", 1)
    places.arrive(mine)
    places_that_became_free = 0
    for scope in flood:
        if places.is_running(mine):
            break
        places.arrive(Call(scope, "m", 1))
        places.leave(data.draw(st.sampled_from(places.running)))
        places_that_became_free += 1
    assert places.is_running(mine)
    assert places_that_became_free <= len(set(hostile)) + 1

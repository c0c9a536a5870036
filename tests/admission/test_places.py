from __future__ import annotations

import pytest

from workbench.admission.places import Call, Places, Rules
from workbench.core.chat import TrafficClass

PERSON = TrafficClass.INTERACTIVE


def _places(capacity: int = 4, *, spare: int = 0, **rules: int) -> Places:
    return Places(lambda _model: capacity, Rules(**rules), lambda _model: spare)


def _call(
    scope: str = "a",
    choices: int = 1,
    model: str = "m",
    traffic: TrafficClass = PERSON,
    own_limit: int | None = None,
) -> Call:
    return Call(scope, model, choices, traffic, own_limit)


def _fill(
    places: Places, scope: str, calls: int, model: str = "m", traffic: TrafficClass = PERSON
) -> list[Call]:
    made = [_call(scope, model=model, traffic=traffic) for _ in range(calls)]
    for call in made:
        assert places.arrive(call) is None
    return made


def test_one_scope_may_use_all_places_while_nobody_else_waits() -> None:
    places = _places(4)
    _fill(places, "a", 4)
    assert (places.in_use, places.queue()) == (4, [])


def test_a_call_of_many_choices_takes_what_is_free_and_the_rest_wait_inside() -> None:
    places = _places(4)
    call = _call(choices=16)
    places.arrive(call)
    assert (call.held, call.allowed, places.queue()) == (4, 4, [])


def test_a_call_of_many_choices_is_let_in_with_one_place() -> None:
    places = _places(4)
    _fill(places, "a", 3)
    call = _call("b", choices=3)
    places.arrive(call)
    assert call.held == 1


def test_choices_inside_a_call_take_places_that_become_free() -> None:
    places = _places(4)
    short = _fill(places, "a", 3)
    call = _call("b", choices=3)
    places.arrive(call)
    places.leave(short[0])
    assert call.held == 2


def test_a_choice_that_ends_is_followed_by_another_of_its_call_while_nobody_waits() -> None:
    places = _places(2)
    call = _call(choices=5)
    places.arrive(call)
    for held in (2, 2, 2, 1, 0):
        places.finish_choice(call)
        assert call.held == held


def test_a_place_goes_to_who_waits_outside_when_a_choice_ends() -> None:
    places = _places(4)
    greedy, other = _call("a", choices=16), _call("b")
    places.arrive(greedy)
    places.arrive(other)
    assert (greedy.held, greedy.allowed, places.is_running(other)) == (4, 3, False)
    places.finish_choice(greedy)
    assert (greedy.held, greedy.allowed, places.is_running(other)) == (3, 3, True)


def test_a_call_with_choices_left_keeps_its_last_place() -> None:
    places = _places(1)
    call = _call("a", choices=3)
    places.arrive(call)
    places.arrive(_call("b"))
    places.finish_choice(call)
    assert (call.held, call.allowed) == (1, 1)


def test_extra_places_are_not_handed_to_who_could_not_use_them() -> None:
    places = _places(4)
    greedy = _call("a", choices=16)
    limited = [_call("b", own_limit=1) for _ in range(2)]
    places.arrive(limited[0])
    places.arrive(greedy)
    places.arrive(limited[1])
    assert (greedy.held, greedy.allowed) == (3, 3)


def test_the_scope_that_holds_the_fewest_places_is_next() -> None:
    places = _places(4)
    first = _fill(places, "a", 4)
    waiting = _fill(places, "a", 3)
    late = _call("b")
    places.arrive(late)
    assert places.queue() == [late, *waiting]
    places.leave(first[0])
    assert places.is_running(late)


def test_between_equals_first_come_is_first_served() -> None:
    places = _places(1)
    (busy,) = _fill(places, "z", 1)
    calls = [_call(scope) for scope in "abcab"]
    for call in calls:
        places.arrive(call)
    served: list[Call] = []
    while places.running:
        places.leave(places.running[0])
        served.extend(places.running)
    assert busy not in served
    assert served == [calls[0], calls[1], calls[2], calls[3], calls[4]]


def test_a_crowd_that_came_first_does_not_go_first_again_and_again() -> None:
    places = _places(1)
    crowd = _fill(places, "a", 5)
    late = _call("b")
    places.arrive(late)
    places.leave(crowd[0])
    places.leave(crowd[1])
    assert places.is_running(late)


def test_one_scopes_crowd_is_served_in_turns_with_another_scope() -> None:
    places = _places(1)
    _fill(places, "z", 1)
    crowd = _fill(places, "a", 3)
    pair = _fill(places, "b", 2)
    assert places.queue() == [crowd[0], pair[0], crowd[1], pair[1], crowd[2]]


def test_people_go_before_batch_work_and_batch_work_before_load_tests() -> None:
    places = _places(1)
    _fill(places, "z", 1)
    load = _call("l", traffic=TrafficClass.LOAD)
    batch = _call("b", traffic=TrafficClass.BATCH)
    person = _call("p")
    for call in (load, batch, person):
        places.arrive(call)
    assert places.queue() == [person, batch, load]


def test_load_tests_leave_a_place_for_people() -> None:
    places = _places(4)
    load = [_call("l", traffic=TrafficClass.LOAD) for _ in range(6)]
    for call in load:
        places.arrive(call)
    assert places.in_use == 3
    person = _call("p")
    places.arrive(person)
    assert places.is_running(person)


def test_a_load_test_may_use_the_only_place() -> None:
    places = _places(1)
    call = _call("l", traffic=TrafficClass.LOAD)
    places.arrive(call)
    assert places.is_running(call)


def test_a_keys_own_limit_counts_choices_over_all_its_calls() -> None:
    places = _places(8)
    wide, late = _call(choices=5, own_limit=3), _call(own_limit=3)
    places.arrive(wide)
    places.arrive(late)
    assert (wide.held, late.held) == (3, 0)
    places.finish_choice(wide)
    assert (wide.held, late.held) == (2, 1)


def test_a_full_model_does_not_hold_up_calls_for_another() -> None:
    places = _places(1)
    _fill(places, "a", 1, model="full")
    places.arrive(_call("b", model="full"))
    other = _call("c", model="free")
    places.arrive(other)
    assert places.is_running(other)


def test_the_total_bounds_all_models_together() -> None:
    places = _places(4, total=3)
    _fill(places, "a", 2, model="x")
    _fill(places, "b", 2, model="y")
    assert places.in_use == 3


def test_a_full_queue_refuses_the_call_that_comes() -> None:
    places = _places(1, queue_size=2)
    _fill(places, "z", 1)
    _fill(places, "a", 1)
    _fill(places, "b", 1)
    late = _call("c")
    assert places.arrive(late) is late
    assert late not in places.queue()


def test_a_queue_of_none_lets_in_or_refuses() -> None:
    places = _places(1, queue_size=0)
    call, late = _call("a"), _call("b")
    assert places.arrive(call) is None
    assert places.arrive(late) is late


def test_a_key_that_fills_the_queue_makes_room_for_another() -> None:
    places = _places(1, queue_size=3)
    crowd = _fill(places, "a", 4)
    late = _call("b")
    assert places.arrive(late) is crowd[-1]
    assert places.queue()[0] is late


def test_load_tests_make_room_in_the_queue_for_people() -> None:
    places = _places(1, queue_size=2)
    _fill(places, "p", 1)
    load = _fill(places, "l", 1, traffic=TrafficClass.LOAD)
    _fill(places, "p", 1)
    assert places.arrive(_call("p")) is load[0]


def test_a_newcomer_may_take_a_place_beyond_the_capacity_but_not_beyond_the_total() -> None:
    places = _places(2, spare=1)
    _fill(places, "a", 3)
    assert places.in_use == 2
    newcomer = _call("b")
    places.arrive(newcomer)
    assert places.is_running(newcomer)
    assert places.in_use == 3

    bounded = _places(2, spare=1, total=2)
    _fill(bounded, "a", 2)
    late = _call("b")
    bounded.arrive(late)
    assert not bounded.is_running(late)


def test_leaving_twice_frees_one_place_once() -> None:
    places = _places(2)
    first, _ = _fill(places, "a", 2)
    places.leave(first)
    places.leave(first)
    places.finish_choice(first)
    assert places.in_use == 1


def test_a_call_that_gives_up_waiting_leaves_no_trace() -> None:
    places = _places(1)
    _fill(places, "a", 1)
    waiting = _call("b")
    places.arrive(waiting)
    places.leave(waiting)
    assert places.queue() == []
    assert places.held_by("b") == 0


def test_a_capacity_that_shrinks_lets_those_inside_finish() -> None:
    capacity = [3]
    places = Places(lambda _model: capacity[0], Rules())
    inside = _fill(places, "a", 3)
    waiting = _call("b")
    places.arrive(waiting)
    capacity[0] = 1
    places.leave(inside[0])
    places.leave(inside[1])
    assert not places.is_running(waiting)
    places.leave(inside[2])
    assert places.is_running(waiting)


def test_a_call_without_choices_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one choice"):
        _call(choices=0)

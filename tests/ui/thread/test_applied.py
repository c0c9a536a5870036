from __future__ import annotations

from workbench.ui.thread.applied import applied_html

EFFECTIVE = {
    "params": {
        "temperature": 0.7,
        "seed": 12,
        "top_k": 0,
        "ignore_eos": False,
        "stop": [],
        "repetition_penalty": 1.1,
    },
    "requested": ["temperature", "top_k"],
    "from_model": ["repetition_penalty"],
    "defaulted": ["seed", "ignore_eos", "stop"],
}


def test_every_setting_that_matters_is_shown_with_who_decided_it() -> None:
    table = applied_html(EFFECTIVE)
    assert "<th>Temperature</th><td>0.7</td><td>set here</td>" in table
    assert "<th>Repetition penalty</th><td>1.1</td><td>the model&#x27;s own</td>" in table
    assert "<th>Seed</th><td>12</td><td>default</td>" in table


def test_zero_that_was_asked_for_is_shown_and_what_is_off_anyway_is_not() -> None:
    table = applied_html(EFFECTIVE)
    assert "<th>Top K</th><td>0</td>" in table
    assert "Stop" not in table
    assert "Ignore" not in table


def test_a_backend_that_reports_nothing_gets_no_table() -> None:
    assert applied_html({"seed": 0}) == ""

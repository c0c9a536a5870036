from __future__ import annotations

from datetime import date

import pytest

from workbench.store import DayOfUse
from workbench.ui.account.usage_chart import COLOURS, usage_chart

TODAY = date(2026, 1, 7)


def use(day: int, model: str, tokens: int = 10, spent: float = 0.5) -> DayOfUse:
    return DayOfUse(date(2026, 1, day), "ada", None, model, 1, tokens, 5, spent)


def test_there_is_a_bar_a_day_and_a_segment_for_each_model_used_on_it() -> None:
    chart = usage_chart([use(6, "m"), use(6, "m"), use(6, "n", 15), use(7, "m")], "tokens", 7, TODAY)
    assert chart.count("<span>") == 7 + 2  # the bars, and the first and the last day
    assert chart.count("title=") == 3
    assert "65 tokens in all" in chart
    assert 'style="height:60.00%" title="2026-01-06 m: 30 tokens"' in chart


def test_credits_are_counted_as_credits() -> None:
    assert "1.0000 credits in all" in usage_chart([use(6, "m"), use(7, "m")], "credits", 7, TODAY)


@pytest.mark.parametrize("entries", [[], [use(7, "m", tokens=-5)]])
def test_nothing_used_is_no_chart(entries: list[DayOfUse]) -> None:
    assert usage_chart(entries, "tokens", 7, TODAY) == ""


def test_a_models_name_is_text_and_the_colours_suffice() -> None:
    chart = usage_chart([use(7, f"<b>{number}") for number in range(COLOURS + 3)], "tokens", 7, TODAY)
    assert "<b>" not in chart
    assert f"wb-c{COLOURS - 1}" in chart
    assert f"wb-c{COLOURS}" not in chart

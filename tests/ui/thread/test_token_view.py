from __future__ import annotations

import math

import pytest

from workbench.core.chat import TokenLogprob
from workbench.ui.thread.token_view import MAX_TOKENS, percent, tokens_html


def token(text: str, probability: float, *top: tuple[str, float]) -> TokenLogprob:
    others = tuple(TokenLogprob(0, other, other.encode(), math.log(share)) for other, share in top)
    return TokenLogprob(0, text, text.encode(), math.log(probability), others)


def test_the_less_likely_a_token_the_stronger_its_tint() -> None:
    view = tokens_html([token("sure", 0.999), token("even", 0.5), token("odd", 0.001)])
    for text, step in (("sure", 0), ("even", 3), ("odd", 5)):
        assert f'wb-tok-{step}" title' in view.split(f">{text}<")[0].rsplit("<span", 1)[1]


def test_hovering_tells_the_probability_and_the_alternatives() -> None:
    view = tokens_html([token("\n", 0.5, ("\n", 0.5), ("<b>", 0.25))])
    assert "50.0 % &quot;\\n&quot;" in view
    assert "25.0 % &quot;&lt;b&gt;&quot;" in view


def test_perplexity_is_the_exponential_of_the_mean_surprise() -> None:
    assert "perplexity 4.00" in tokens_html([token("a", 0.5), token("b", 0.125)])


def test_a_token_of_the_prompt_without_a_probability_is_plain() -> None:
    assert 'class="wb-tok ' not in tokens_html([TokenLogprob(0, "a", b"a", None)])


def test_long_answers_are_cut_and_say_so() -> None:
    view = tokens_html([token("a", 0.5)] * (MAX_TOKENS + 7))
    assert view.count('class="wb-tok ') == MAX_TOKENS
    assert "7 more tokens" in view


def test_without_log_probabilities_there_is_no_view() -> None:
    assert tokens_html([]) == ""


@pytest.mark.parametrize(
    ("probability", "text"),
    [(1.0, "100.00 %"), (0.9997, "99.97 %"), (0.5, "50.0 %"), (0.0031, "0.31 %"), (0.0, "<0.01 %")],
)
def test_probabilities_are_readable(probability: float, text: str) -> None:
    assert percent(probability) == text

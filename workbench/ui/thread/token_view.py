"""An answer's tokens, each tinted by how likely the model found it, with what it might have said instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from workbench.core.chat import TokenLogprob

MAX_TOKENS = 1000
"""More are cut: every token is an element of the page."""

_STEPS = 5


def tokens_html(tokens: Sequence[TokenLogprob]) -> str:
    """A folded view; "" without log-probabilities. Likely tokens are plain, unlikely ones strongly tinted."""
    if not tokens:
        return ""
    spans = "".join(_token(token) for token in tokens[:MAX_TOKENS])
    rest = len(tokens) - MAX_TOKENS
    more = f"<em>… {rest:,} more tokens</em>" if rest > 0 else ""
    known = [token.logprob for token in tokens if token.logprob is not None]
    perplexity = math.exp(-sum(known) / len(known)) if known else float("nan")
    return (
        '<details class="wb-tokens"><summary>Tokens</summary>'
        f"<p>{len(tokens):,} tokens, perplexity {perplexity:.2f}. The stronger the tint, the less likely the token. "
        "Hover, tap or use the arrow keys for its probability and the alternatives.</p>"
        f'<div translate="no" tabindex="0" role="group" aria-label="The tokens">{spans}{more}</div>'
        '<p class="wb-tok-detail" role="status"></p></details>'
    )


def _token(token: TokenLogprob) -> str:
    if token.logprob is None:
        return _shown(token.text)
    probability = math.exp(min(token.logprob, 0.0))
    tint = min(_STEPS, int((1 - probability) * (_STEPS + 1)))
    title = f"{percent(probability)} {visible(token.text)}"
    if token.top:
        others = (
            f"{percent(math.exp(min(top.logprob or 0.0, 0.0)))} {visible(top.text)}" for top in token.top
        )
        title += "\n\n" + "\n".join(others)
    return f'<span class="wb-tok wb-tok-{tint}" title="{escape(title)}">{_shown(token.text)}</span>'


def _shown(text: str) -> str:
    """The token's text; a line break is also seen where it is a token of its own."""
    return escape(text).replace("\n", "↵\n")


def percent(probability: float) -> str:
    """`99.97 %`, `3.1 %`, `<0.01 %`."""
    share = 100 * probability
    if share < 0.01:
        return "<0.01 %"
    return f"{share:.2f} %" if share > 99 or share < 1 else f"{share:.1f} %"


def visible(text: str) -> str:
    """The token in quotation marks, its line breaks and tabs written out."""
    return '"' + text.replace("\n", "\\n").replace("\t", "\\t") + '"'

"""The Docs page's content: where to begin, what the numbers mean, what each parameter does, and how to call the API."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from snippets import KEY_VARIABLE
from workbench.core.params import PARAMS, ParamSpec

_BEGIN = (
    ("serverless", "Serverless", "Talk to one model. View = API shows the same request as code."),
    ("compare", "Compare", "One message to two to four models, side by side, or blind with a vote."),
    ("evaluate", "Evaluate", "The same questions and load for every candidate; a verdict with intervals."),
    ("guard-lab", "Guard lab", "What a guard would do with your own texts."),
    ("models", "Models", "Add one by its hub id, folder, file or address, and see what would fit."),
    ("requests", "Requests", "Ask the operator for a model that is not here."),
    ("account", "Account", "Keys for the API, their limits, and what they used."),
)

_NUMBERS = (
    (
        "TTFT",
        (
            "Time to first token: from sending to the first token of any kind, reasoning included. Waiting for a place "
            "counts."
        ),
    ),
    (
        "Tokens/s",
        (
            "(tokens − 1) / (last − first token): how fast it writes once it has begun. Its reciprocal is TPOT, the "
            "time of each further token."
        ),
    ),
    ("p95", "95 of 100 requests were at least this good. A mean hides the bad ones, which people notice."),
    (
        "Interval",
        (
            "Where the true value lies with 95 % confidence, given this many samples. While two intervals overlap, the "
            "two are not told apart yet."
        ),
    ),
    (
        "Verdict",
        (
            "Each requirement is passed, failed, or has not enough data: then it says how many more samples would "
            "settle it."
        ),
    ),
    ("Isolated", "Nothing else ran meanwhile: the time is the model's own."),
    (
        "Contended",
        "Others ran at the same time, as they will in use. The two kinds of times are never mixed.",
    ),
    (
        "Credits",
        "Tokens in and out times the model's price. The price is set by the operator of this server.",
    ),
    (
        "int8, nf4",
        (
            "Weights in 8 or 4 bits: a quarter or an eighth of float32's memory, and a little less quality. On a CPU "
            "int8 is also faster where there are 8-bit kernels and a compiler; nf4 is not."
        ),
    ),
    (
        "Perplexity",
        "How surprised a model was by its own tokens: 1 is not at all, 10 as by a choice among ten likely ones.",
    ),
    ("P(unsafe)", "The guard's probability that a text is unsafe. It is flagged from the threshold on."),
)

_API = (
    "<p>Every model here answers OpenAI's routes at <code>{address}</code>: chat completions, completions, models and "
    "moderations. A client for OpenAI works when it is given this base URL and a key of yours.</p>"
    '<p><a href="#serverless" data-wb="api">Code that runs as it is</a>, in Python, JavaScript and curl · '
    '<a href="#account">Make a key</a> · <a href="openai/docs">API reference</a></p>'
    "<p>A field that a model cannot honour is refused by name, never ignored. Programs read the key from "
    "<code>{variable}</code>.</p>"
)
_PRIVACY = (
    "<p>Messages and answers are not kept on the server, neither in a log nor in a database: a refresh forgets the "
    "conversation. Kept are counts and times, and what you run on Evaluate, with its texts, until you delete it there. "
    "A model of another region is an endpoint elsewhere, which is sent the conversation.</p>"
)


def docs_html(address: str) -> str:
    """The cards. `address` is the API's base URL as the reader's browser reaches it."""
    links = "".join(
        f'<div><dt><a href="#{page}">{escape(name)}</a></dt><dd>{escape(text)}</dd></div>'
        for page, name, text in _BEGIN
    )
    numbers = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in _NUMBERS)
    api = _API.format(address=escape(address), variable=escape(KEY_VARIABLE))
    return (
        '<div class="wb-cards wb-docs">'
        + _card("What is where", f"<dl>{links}</dl>")
        + _card("Call it from your code", api)
        + _card("What the numbers mean", f"<dl>{numbers}</dl>")
        + _card("What the parameters do", _parameters(list(PARAMS.values())))
        + _card("What is kept", _PRIVACY)
        + "</div>"
    )


def _card(title: str, body: str) -> str:
    return f'<section class="wb-card wb-card-wide"><h2>{escape(title)}</h2>{body}</section>'


def _parameters(specs: Sequence[ParamSpec]) -> str:
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("Parameter", "What it does", "Range", "API", "Page")
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(spec.label)}<code>{escape(spec.name)}</code></th>'
        f"<td>{escape(spec.description)}</td><td>{escape(_range(spec))}</td>"
        f"<td>{_number(spec.api_default)}</td><td>{_number(spec.panel_default)}</td></tr>"
        for spec in specs
    )
    return (
        '<div class="wb-table" tabindex="0" role="region" aria-label="Parameters"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        '<p class="wb-none">API: what holds where a request does not say, unless the model brings its own. Page: where '
        "the slider starts.</p>"
    )


def _range(spec: ParamSpec) -> str:
    """`0 to 2`, `0 or more`, or nothing for what is no number."""
    if spec.low is None:
        return ""
    if spec.high is None:
        return f"{spec.low:g} or more"
    if abs(spec.high) > 1e9:
        return "any whole number"
    return f"{spec.low:g} to {spec.high:g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"

"""The Home page's content: what is loaded, who waits, what was used, what was tried, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from workbench.admission import GateLoad
from workbench.backends.pool import ModelStatus
from workbench.store.experiments import Experiment
from workbench.store.usage import DayOfUse
from workbench.ui.model_header import badges_of, price_of, state_html
from workbench.ui.thread.metrics import in_credits

DAYS_SHOWN = 14

_STEPS = (
    (
        "serverless",
        "Talk to the model",
        "Ask what your product will ask. The numbers under each answer are measured.",
    ),
    ("compare", "Compare it", "The same message to two models, or to one in two precisions, side by side."),
    (
        "serverless",
        "Call it from your code",
        "Under View, choose API: one click makes your key and copies a block that runs as it is.",
    ),
)
_NO_USE = '<p class="wb-none">Nothing yet. Tokens and credits of the last two weeks come here.</p>'


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What the page shows; `use` and `experiments` are the caller's own."""

    models: Sequence[ModelStatus]
    load: GateLoad
    use: Sequence[DayOfUse]
    experiments: Sequence[Experiment]
    today: date


def home_html(facts: HomeFacts) -> str:
    """The cards. Lists that are empty say what would be in them."""
    return (
        '<div class="wb-cards">'
        f"{_guide()}{_models(facts.models)}{_queue(facts.load)}{_use(facts.use, facts.today)}"
        f"{_experiments(facts.experiments)}</div>"
    )


def _card(title: str, body: str, kind: str = "") -> str:
    return f'<section class="wb-card {kind}"><h2>{escape(title)}</h2>{body}</section>'


def _guide() -> str:
    steps = "".join(
        f'<li><a href="#{name}"><b>{escape(title)}</b><span>{escape(text)}</span></a></li>'
        for name, title, text in _STEPS
    )
    return _card("Begin here", f'<ol class="wb-steps">{steps}</ol>', "wb-card-wide")


def _models(models: Sequence[ModelStatus]) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(status.card.id)}</b><small>{escape(' · '.join(badges_of(status)))}</small></td>"
        f"<td>{state_html(status)}</td><td>{escape(price_of(status))}</td></tr>"
        for status in models
    )
    return _card("Models", f'<table class="wb-list"><tbody>{rows}</tbody></table>', "wb-card-wide")


def _queue(load: GateLoad) -> str:
    return _card(
        "At this moment",
        f'<dl class="wb-figures">{_figure(load.running_calls, "running")}{_figure(load.waiting_calls, "waiting")}'
        f"{_figure(load.places_in_use, 'places in use')}</dl>",
    )


def _figure(number: int | str, label: str) -> str:
    shown = f"{number:,}" if isinstance(number, int) else number
    return f"<div><dd>{escape(shown)}</dd><dt>{escape(label)}</dt></div>"


def _use(use: Sequence[DayOfUse], today: date) -> str:
    days = [today - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    tokens = dict.fromkeys(days, 0)
    for entry in use:
        if entry.day in tokens:
            tokens[entry.day] += entry.prompt_tokens + entry.completion_tokens
    most = max(tokens.values())
    if most == 0:
        return _card(
            "My use",
            '<p class="wb-none">Nothing yet. Tokens and credits of the last two weeks come here.</p>',
        )
    bars = "".join(
        f'<i style="height:{max(3, round(100 * count / most)) if count else 1}%" '
        f'title="{day.isoformat()}: {count:,} tokens"></i>'
        for day, count in tokens.items()
    )
    total = sum(tokens.values())
    requests = sum(entry.requests for entry in use if entry.day in tokens)
    spent = sum(entry.credits for entry in use if entry.day in tokens)
    label = f"Tokens a day over {DAYS_SHOWN} days, {total:,} in all"
    return _card(
        "My use, two weeks",
        f'<dl class="wb-figures">{_figure(requests, "requests")}{_figure(total, "tokens")}'
        f"{_figure(in_credits(spent), 'credits')}</dl>"
        f'<div class="wb-bars" role="img" aria-label="{escape(label)}">{bars}</div>',
    )


def _experiments(experiments: Sequence[Experiment]) -> str:
    if not experiments:
        return ""
    rows = "".join(
        f"<tr><td><b>{escape(entry.name)}</b><small>{escape(', '.join(entry.models))}</small></td>"
        f"<td>{escape(entry.verdict or entry.state.value)}</td><td>{entry.begun_at:%d %b, %H:%M}</td></tr>"
        for entry in experiments
    )
    return _card("Last experiments", f'<table class="wb-list"><tbody>{rows}</tbody></table>', "wb-card-wide")

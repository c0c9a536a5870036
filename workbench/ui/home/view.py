"""The Home page's content: what is loaded, who waits, what was used, what was tried, and where to begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from workbench.admission import GateLoad
from workbench.backends.pool import ModelStatus
from workbench.store.experiments import Experiment
from workbench.store.usage import DayOfUse
from workbench.ui.assets import icon
from workbench.ui.model_header import badges_of, price_of, state_html
from workbench.ui.thread.metrics import in_credits

DAYS_SHOWN = 14
_NO_USE = '<p class="wb-none">Nothing yet. Tokens and credits of the last two weeks come here.</p>'
_NO_EXPERIMENTS = (
    '<p class="wb-none">None yet. <a href="#evaluate">Run the quick check</a>: it is filled in, and ends in a verdict '
    "within minutes.</p>"
)


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What the page shows; `use` and `experiments` are the caller's own."""

    models: Sequence[ModelStatus]
    load: GateLoad
    use: Sequence[DayOfUse]
    experiments: Sequence[Experiment]
    today: date


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the guide: `page` is where it leads, `is_done` reads from the facts whether it was taken."""

    page: str
    title: str
    text: str
    is_done: Callable[[HomeFacts], bool]
    action: str = ""
    """What js/shell.js does beside opening the page."""


_STEPS = (
    Step(
        "serverless",
        "Talk to a model",
        "Ask what your product will ask. Every answer says how fast it was and what it cost.",
        lambda facts: any(entry.key_id is None for entry in facts.use),
    ),
    Step(
        "serverless",
        "Call it from your code",
        "Make your API key and copy a block that runs as it is, in Python, JavaScript or curl.",
        lambda facts: any(entry.key_id is not None for entry in facts.use),
        action="api",
    ),
    Step(
        "evaluate",
        "Get a verdict",
        "Say what you need; the same questions and the same load tell which model will do.",
        lambda facts: any(entry.verdict for entry in facts.experiments),
    ),
)


def home_html(facts: HomeFacts) -> str:
    """The cards. Lists that are empty say what would be in them; the guide goes when all its steps are taken."""
    return (
        '<div class="wb-cards">'
        f"{_guide(facts)}{_models(facts.models)}{_queue(facts.load)}{_use(facts.use, facts.today)}"
        f"{_experiments(facts.experiments)}</div>"
    )


def _card(title: str, body: str, kind: str = "", *, link: tuple[str, str] | None = None) -> str:
    """`link` is (page, text) of where there is more."""
    more = "" if link is None else f'<a href="#{link[0]}">{escape(link[1])}</a>'
    head = f'<div class="wb-card-head"><h2>{escape(title)}</h2>{more}</div>'
    return f'<section class="wb-card {kind}">{head}{body}</section>'


def _guide(facts: HomeFacts) -> str:
    taken = [step.is_done(facts) for step in _STEPS]
    if all(taken):
        return ""
    steps = "".join(_step(step, is_done) for step, is_done in zip(_STEPS, taken, strict=True))
    return _card("Begin here", f'<ol class="wb-steps">{steps}</ol>', "wb-card-wide")


def _step(step: Step, is_done: bool) -> str:
    action = f' data-wb="{step.action}"' if step.action else ""
    mark = f'<em>{icon("check")}<span class="wb-sr">done</span></em>' if is_done else ""
    return (
        f'<li{" class=wb-done" if is_done else ""}><a href="#{step.page}"{action}><b>{escape(step.title)}{mark}</b>'
        f"<span>{escape(step.text)}</span></a></li>"
    )


def _models(models: Sequence[ModelStatus]) -> str:
    rows = "".join(
        f'<tr><td><b translate="no">{escape(status.card.id)}</b>'
        f"<small>{escape(' · '.join(badges_of(status)))}</small></td>"
        f"<td>{state_html(status)}</td><td>{escape(price_of(status))}</td></tr>"
        for status in models
    )
    table = f'<table class="wb-list"><tbody>{rows}</tbody></table>'
    return _card("Models", table, "wb-card-wide", link=("models", "Add a model, or see what fits"))


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
        return _card("My use", _NO_USE)
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
        return _card("Last experiments", _NO_EXPERIMENTS, "wb-card-wide")
    rows = "".join(
        f'<tr><td><b translate="no">{escape(entry.name)}</b><small>{escape(", ".join(entry.models))}</small></td>'
        f"<td>{escape(_outcome(entry))}</td><td>{entry.begun_at:%d %b, %H:%M}</td></tr>"
        for entry in experiments
    )
    table = f'<table class="wb-list"><tbody>{rows}</tbody></table>'
    return _card("Last experiments", table, "wb-card-wide", link=("evaluate", "Open them"))


def _outcome(entry: Experiment) -> str:
    """Its verdict, or how far it came."""
    return (entry.verdict or entry.state.value).replace("_", " ")

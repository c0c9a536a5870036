"""The parts of the arena: one question, two answers without names, a vote, and the standings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from evaluators.stats import Estimate, Rating
from workbench.backends.pool import ModelStatus
from workbench.ui.compare.arena_round import MOST_CANDIDATES, ArenaSession, Choice
from workbench.ui.markup import markup, title_html
from workbench.ui.serverless.chat_area import LATEX
from workbench.ui.tables import table_html
from workbench.ui.thread.session import SECONDS_KEPT

_HEADER = title_html(
    "Arena",
    "Blind: names and speed are hidden until you vote. Votes are kept without question or answers.",
)
_LABELS = {
    Choice.LEFT: "Left is better",
    Choice.RIGHT: "Right is better",
    Choice.TIE: "A tie",
    Choice.BOTH_BAD: "Both are bad",
}
_HIDDEN = '<p class="wb-arena-name">{side}</p>'
_SHOWN = '<p class="wb-arena-name">{side}: <b>{name}</b></p>'


@dataclass(frozen=True, slots=True)
class ArenaPage:
    """The arena's parts. `names` and `answers` are left and right; `votes` in `Choice`'s order."""

    session: gr.State
    back: gr.Button
    models: gr.Dropdown
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    notice: gr.HTML
    names: tuple[gr.HTML, gr.HTML]
    answers: tuple[gr.Chatbot, gr.Chatbot]
    voting: gr.Row
    votes: tuple[gr.Button, ...]
    standings: gr.HTML


def build_arena_parts(models: Sequence[ModelStatus]) -> ArenaPage:
    """Candidates, the question, two answers side by side, the vote, and the standings."""
    session = gr.State(ArenaSession(), time_to_live=SECONDS_KEPT)
    ids = [status.card.id for status in models]
    with gr.Column(elem_id="wb-arena", elem_classes="wb-page-column"):
        with gr.Row(elem_classes="wb-header"):
            markup(_HEADER)
            back = gr.Button("Back to Compare", size="sm", elem_id="wb-arena-back", scale=0)
        with gr.Column(elem_classes="wb-page-body"):
            with gr.Column(elem_classes="wb-card"):
                chosen = gr.Dropdown(
                    [(id_.rpartition("/")[2], id_) for id_ in ids], value=ids[:2], multiselect=True,
                    max_choices=MOST_CANDIDATES, label="Candidates",
                    info="Two to four; each round draws two of them, sides by chance.",
                    elem_id="wb-arena-models", elem_classes=["wb-field", "wb-help"],
                )  # fmt: skip
                question = gr.Textbox(
                    label="Question", placeholder="Ask two of them", lines=1, max_lines=8,
                    elem_id="wb-arena-question", elem_classes="wb-field",
                )  # fmt: skip
                with gr.Row(elem_classes="wb-form-row"):
                    ask = gr.Button(
                        "Ask both", variant="primary", elem_id="wb-arena-ask", elem_classes="wb-fit"
                    )
                    stop = gr.Button("Stop", variant="stop", visible=False, elem_id="wb-arena-stop",
                                     elem_classes=["wb-fit", "wb-stop"])  # fmt: skip
            notice = markup(elem_id="wb-arena-notice")
            with gr.Row(elem_id="wb-arena-answers"):
                sides = [_build_side(side) for side in ("Left", "Right")]
            with gr.Row(visible=False, elem_id="wb-arena-voting", elem_classes="wb-form-row") as voting:
                votes = tuple(
                    gr.Button(_LABELS[choice], elem_id=f"wb-arena-{choice.value}", elem_classes="wb-fit")
                    for choice in Choice
                )
            standings = markup(elem_id="wb-arena-standings")
    (left, left_answer), (right, right_answer) = sides
    return ArenaPage(
        session, back, chosen, question, ask, stop, notice, (left, right), (left_answer, right_answer), voting,
        votes, standings,
    )  # fmt: skip


def _build_side(side: str) -> tuple[gr.HTML, gr.Chatbot]:
    with gr.Column(elem_classes="wb-card", min_width=0):
        name = markup(name_html(side))
        answer = gr.Chatbot(
            label=f"{side} answer", show_label=False, container=False, layout="bubble", buttons=[], height=320,
            placeholder=f'<p class="wb-pane-empty">The {side.lower()} answer.</p>', allow_tags=False,
            latex_delimiters=LATEX, elem_id=f"wb-arena-{side.lower()}-answer",
            elem_classes=["wb-thread", "wb-arena-answer"],
        )  # fmt: skip
    return name, answer


def name_html(side: str, name: str = "") -> str:
    """The head of an answer; "" keeps its name hidden."""
    return _SHOWN.format(side=side, name=escape(name)) if name else _HIDDEN.format(side=side)


def standings_html(ratings: Sequence[Rating]) -> str:
    """Ratings and win rates, best first."""
    if not ratings:
        return ""
    heads = ("Candidate", "Rating (Bradley-Terry)", "Win rate, a tie half", "Won", "Lost", "Tied", "Both bad")
    rows = [
        (
            rating.candidate.rpartition("/")[2],
            _spread(rating.rating, 1.0, ""),
            _spread(rating.win_rate, 100.0, " %"),
            str(rating.wins),
            str(rating.losses),
            str(rating.ties),
            str(rating.both_bad),
        )
        for rating in ratings
    ]
    note = "<p>Intervals are 95 %. Where they overlap, the votes do not tell yet who is better.</p>"
    return f'<section class="wb-card"><h2>Standings</h2>{table_html("Standings", heads, rows, "")}{note}</section>'


def _spread(estimate: Estimate, factor: float, unit: str) -> str:
    value = f"{estimate.value * factor:.0f}{unit}"
    interval = estimate.interval
    if interval is None:
        return value
    return f"{value} ({interval.low * factor:.0f} to {interval.high * factor:.0f})"

"""The Guard drawer of the configuration panel: which guard, what it does on either side, from which score on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from guard.taxonomy import STANDARD_HAZARDS
from workbench.core.errors import InvalidRequest
from workbench.screening import EMBEDDED, Guards, ScreeningChoice
from workbench.ui.markup import markup
from workbench.ui.optional_number import optional_number

_MODES = [("Off", Mode.OFF.value), ("Shadow", Mode.SHADOW.value), ("Mark", Mode.SCORE.value),
          ("Block", Mode.BLOCK.value)]  # fmt: skip
GUARD_INPUTS = 5
"""How many values `GuardPanel.inputs` has."""
_MODE_HELP = (
    "Shadow judges and counts, and shows nothing; Mark says what was found; Block holds unsafe text back."
)
_LIMITS = (
    "“embedded” is a screening model, not Llama Guard: it reads English, and the words of one text. Try it on your own "
    "texts in the Guard lab."
)


@dataclass(frozen=True, slots=True)
class GuardPanel:
    """The drawer's parts."""

    guard: gr.Dropdown
    input: gr.Radio
    output: gr.Radio
    threshold: gr.Textbox
    categories: gr.Dropdown

    @property
    def inputs(self) -> list[gr.Component]:
        """What an event must be given for `read_guard`."""
        return [self.guard, self.input, self.output, self.threshold, self.categories]


def build_guard_panel(guards: Guards, prefix: str = "ui") -> GuardPanel:
    """A folded drawer. The page's own starts with how this server's page screens, a request's with nothing asked."""
    is_page = prefix == "ui"
    start = guards.page_choice if is_page else None
    modes = _MODES if is_page else [mode for mode in _MODES if mode[1] != Mode.SHADOW.value]
    names = list(guards.names) if guards.operator_choice is None else [guards.default or EMBEDDED]
    policy = start.policy if start is not None else ScreeningPolicy()
    with gr.Accordion("Guard", open=False, elem_classes="wb-drawer", elem_id=f"{prefix}-guard-drawer"):
        guard = gr.Dropdown(
            names, value=(start.guard if start is not None else None) or names[0], label="Guard",
            elem_id=f"{prefix}-guard", elem_classes="wb-field",
        )  # fmt: skip
        markup(_note(guards))
        inward, outward = (
            gr.Radio(
                modes, value=side.mode.value, label=label, info=_MODE_HELP, elem_id=f"{prefix}-guard-{name}",
                elem_classes=["wb-segmented", "wb-help"],
            )
            for name, label, side in (
                ("input", "Your messages", policy.input), ("output", "The answers", policy.output)
            )
        )  # fmt: skip
        threshold = optional_number(
            None, label="Threshold", info="The P(unsafe) from which on a text is flagged. Empty: the guard's own.",
            high=1, placeholder="The guard's own", elem_id=f"{prefix}-guard-threshold",
            elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
        categories = gr.Dropdown(
            [(f"{hazard.code} {hazard.name}", hazard.code) for hazard in STANDARD_HAZARDS], value=[],
            multiselect=True, label="Categories that count", info="None chosen: all of them.",
            elem_id=f"{prefix}-guard-categories", elem_classes=["wb-field", "wb-help"],
        )  # fmt: skip
    return GuardPanel(guard, inward, outward, threshold, categories)


def read_guard(values: Sequence[Any]) -> ScreeningChoice | None:
    """The values of `GuardPanel.inputs`; None when neither side is screened.

    Raises: InvalidRequest for a threshold that is no probability.
    """
    guard, inward, outward, threshold, categories = values
    if threshold is not None and not 0 <= threshold <= 1:
        raise InvalidRequest("Guard: the threshold must be between 0 and 1, or empty.", param="threshold")
    side = DirectionPolicy(
        threshold=None if threshold is None else float(threshold),
        categories=frozenset(categories) if categories else None,
    )
    policy = ScreeningPolicy(input=replace(side, mode=Mode(inward)), output=replace(side, mode=Mode(outward)))
    return None if policy.is_off else ScreeningChoice(policy, guard, param="guard")


def chosen_guard(values: Sequence[Any]) -> str | None:
    """The guard among the values of `GuardPanel.inputs`, whether or not a side is screened."""
    guard: str | None = values[0]
    return guard or None


def _note(guards: Guards) -> str:
    laid_down = guards.operator_choice
    required = ""
    if laid_down is not None:
        mode = laid_down.policy.input.mode.value
        name = escape(str(laid_down.guard))
        required = f"<p>This server requires {name} with “{mode}” or stricter on both sides.</p>"
    return f'<div class="wb-guard-note"><p>{_LIMITS}</p>{required}</div>'

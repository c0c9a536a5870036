"""The drop-downs that offer models, brought up to date when models come and go while pages are open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from workbench.backends.pool import ModelStatus
from workbench.core.caller import Caller
from workbench.service import Workbench
from workbench.ui.identity import CallerOf
from workbench.ui.serverless.config_panel import ConfigPanel
from workbench.ui.values_box import values_box

Choices = Callable[[Sequence[ModelStatus], Any, Caller], Sequence[tuple[str, str]]]
"""(label, value) pairs of a drop-down, from the models, the value it has, and who looks at it."""


class ModelMenus:
    """Every page that offers models adds its drop-downs; one event looks after them all.

    `chat` is the panel of the page where models are talked to, once that page is built.
    """

    def __init__(self, workbench: Workbench, caller_of: CallerOf) -> None:
        self._workbench = workbench
        self._caller_of = caller_of
        self._menus: list[tuple[gr.components.Component, Choices]] = []
        self._built = frozenset(workbench.catalogue.cards)
        self._have_changed = False
        self.chat: ConfigPanel | None = None

    def add(self, menu: gr.components.Component, choices: Choices) -> None:
        """Looks after a drop-down from now on."""
        self._menus.append((menu, choices))

    def bind(self, ui: gr.Blocks, tabs: gr.Tabs) -> None:
        """Looks when a browser comes, and when another page is opened."""
        menus = [menu for menu, _ in self._menus]
        gr.on(
            [ui.load, tabs.select],
            self.refresh,
            [values_box(menus)],
            menus,
            show_progress="hidden",
            api_visibility="private",
        )

    def refresh(self, request: gr.Request, values: Sequence[Any]) -> list[Any]:
        """The drop-downs' choices. What is chosen stays chosen while it is there."""
        caller = self._caller_of(request)
        self._have_changed |= frozenset(self._workbench.catalogue.cards) != self._built
        if not self._have_changed and caller.is_admin:
            return [gr.skip()] * len(self._menus)  # as they were built
        models = self._workbench.models(caller)
        return [
            _updated(choices(models, value, caller), value)
            for (_, choices), value in zip(self._menus, values, strict=True)
        ]


def all_of(label: Callable[[ModelStatus], str]) -> Choices:
    """Every model the caller may use, by this label."""
    return lambda models, _value, _caller: [(label(status), status.card.id) for status in models]


def _updated(choices: Sequence[tuple[str, str]], value: Any) -> gr.Dropdown:
    known = [id_ for _, id_ in choices]
    if isinstance(value, list):
        return gr.Dropdown(
            choices=list(choices), value=[id_ for id_ in value if id_ in known], multiselect=True
        )
    if value in known:
        return gr.Dropdown(choices=list(choices))
    return gr.Dropdown(choices=list(choices), value=next(iter(known), None))

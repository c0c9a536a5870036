"""What every page is built with."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from workbench.service import Workbench
from workbench.ui.identity import CallerOf
from workbench.ui.model_menus import ModelMenus


@dataclass(frozen=True, slots=True)
class PageContext:
    """`ui` is all of it, `tabs` holds the pages, `tab` is this page; `caller_of` says who an event acts for.

    Drop-downs of models are added to `menus`. `candidates` is a list [models, system prompt, questions as JSONL]
    that another page hands to Evaluate by changing it.
    """

    ui: gr.Blocks
    tabs: gr.Tabs
    tab: gr.Tab
    workbench: Workbench
    caller_of: CallerOf
    menus: ModelMenus
    candidates: gr.State

    def is_opened_by(self, chosen: gr.SelectData) -> bool:
        """True when a selection among `tabs` opens this page, rather than leaves it."""
        return bool(self.tabs.children[chosen.index] is self.tab)

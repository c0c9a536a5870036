"""The Compare page, put together."""

from __future__ import annotations

import gradio as gr

from workbench.core.caller import LOCAL_USER
from workbench.service import Workbench
from workbench.ui.compare_events import bind_compare
from workbench.ui.compare_page import build_compare_parts
from workbench.ui.identity import CallerOf


def build_compare_page(ui: gr.Blocks, workbench: Workbench, caller_of: CallerOf) -> None:
    """One message, several models, their answers side by side."""
    bind_compare(build_compare_parts(workbench.models(LOCAL_USER)), workbench, caller_of)

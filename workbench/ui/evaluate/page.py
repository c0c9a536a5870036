"""The Evaluate page, put together."""

from __future__ import annotations

from workbench.core.caller import LOCAL_USER
from workbench.experiments.library import ExperimentLibrary
from workbench.ui.context import PageContext
from workbench.ui.evaluate.events import bind_evaluate
from workbench.ui.evaluate.parts import build_evaluate_parts
from workbench.ui.model_menus import all_of


def build_evaluate_page(context: PageContext) -> None:
    """An experiment in three steps, its progress, and verdicts."""
    page = build_evaluate_parts(context.workbench.models(LOCAL_USER))
    context.menus.add(page.models, all_of(lambda status: status.card.id.rpartition("/")[2]))
    bind_evaluate(page, ExperimentLibrary(context.workbench), context)

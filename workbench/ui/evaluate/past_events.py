"""What happens with past experiments: comparing two, and putting in GPU prices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from workbench.core.caller import Caller
from workbench.core.errors import InvalidRequest, WorkbenchError
from workbench.experiments.library import ExperimentLibrary
from workbench.experiments.plan.gpu_prices import read_hardware, save_prices
from workbench.experiments.results.regression import Regression, compare_experiments
from workbench.ui.context import PageContext
from workbench.ui.evaluate.parts import EvaluatePage
from workbench.ui.evaluate.past import SAMPLE, price_updates, regression_html
from workbench.ui.notice import error_notice

Updates = dict[Any, Any]
Show = Callable[[gr.Request, str | None], Updates]


class PastEvents:
    """The handlers of the comparison and of the prices."""

    def __init__(self, page: EvaluatePage, library: ExperimentLibrary, context: PageContext) -> None:
        self._page = page
        self._library = library
        self._context = context
        self._home = context.workbench.settings.home

    async def compare(self, request: gr.Request, chosen: str | None, earlier: str | None) -> str:
        """What changed from the earlier experiment to the chosen one."""
        if not chosen or not earlier:
            return ""
        try:
            found = await asyncio.to_thread(self._compare, chosen, earlier, self._context.caller_of(request))
        except WorkbenchError as failure:
            return error_notice(failure)
        return regression_html(found)

    def _compare(self, chosen: str, earlier: str, caller: Caller) -> list[tuple[str, Regression]]:
        """Each candidate of the chosen one against its namesake, or against the only other there is."""
        if chosen in (SAMPLE, earlier):
            raise InvalidRequest("Choose two different experiments of your own.", param="earlier")
        after, before = self._library.results(chosen, caller), self._library.results(earlier, caller)
        old = [candidate.name for candidate in before.experiment.candidates]
        new = [candidate.name for candidate in after.experiment.candidates]
        pairs = [(name, name) for name in new if name in old] or list(zip(old, new, strict=False))
        return [
            (second if first == second else f"{first} → {second}",
             compare_experiments(before, first, after, second))
            for first, second in pairs
        ]  # fmt: skip

    def price(self, name: str) -> Updates:
        """The chosen GPU's price."""
        past = self._page.past
        price, about = price_updates(read_hardware(self._home), name)
        return {past.price: price, past.price_about: about}

    def save(self, request: gr.Request, name: str, price: float | None, chosen: str | None) -> Updates:
        """Keeps the price and makes the shown report anew; for administrators, as every account's plans change."""
        caller = self._context.caller_of(request)
        try:
            if not caller.is_admin:
                raise InvalidRequest("Only an administrator puts in prices.", param="price")
            gpus = read_hardware(self._home).gpus
            known = {key: gpu.price_per_hour for key, gpu in gpus.items() if gpu.price_per_hour is not None}
            save_prices(self._home, known | {name: price or 0.0})
            if chosen and chosen != SAMPLE:
                self._library.rewrite(chosen, caller)
        except WorkbenchError as failure:
            return {self._page.past.price_about: error_notice(failure)}
        return self.price(name)

    def bind(self, show: Show) -> None:
        """Connects the parts; `show` shows the chosen verdict anew."""
        past = self._page.past
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        shown = [past.report, past.label, past.resume, past.delete, past.comparison]
        prices = [past.price, past.price_about]
        past.earlier.input(self.compare, [past.chosen, past.earlier], [past.comparison], **quiet)
        past.gpu.change(self.price, [past.gpu], prices, **quiet)
        past.prices.expand(self.price, [past.gpu], prices, **quiet)
        saved = past.save_price.click(self.save, [past.gpu, past.price, past.chosen], prices, **quiet)
        saved.then(show, [past.chosen], shown, **quiet)

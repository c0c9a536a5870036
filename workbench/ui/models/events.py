"""What happens on the Models page. Each handler asks the desk as the account that the session belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelState
from workbench.core.caller import Caller
from workbench.core.errors import InvalidRequest, ModelNotFound, WorkbenchError
from workbench.engine.memory import free_for_models
from workbench.fitting import model_list, offers, this_machine
from workbench.model_desk import ModelDesk
from workbench.service import Workbench
from workbench.ui.feasibility_view import feasibility_html
from workbench.ui.identity import CallerOf
from workbench.ui.models.parts import ModelsPage, members_html, read_wish
from workbench.ui.models.view import fitting_html, models_html, offer_choices, progress_html
from workbench.ui.notice import Kind, error_notice, notice_html
from workbench.ui.serverless.config_panel import model_choices, regions

Updates = dict[Any, Any]


class ModelsEvents:
    """The handlers, bound to the page's components."""

    def __init__(self, page: ModelsPage, desk: ModelDesk, workbench: Workbench, caller_of: CallerOf) -> None:
        self._page = page
        self._desk = desk
        self._workbench = workbench
        self._caller_of = caller_of

    async def opened(self, request: gr.Request) -> AsyncGenerator[Updates, None]:
        """The models and the form for who may use it; then what fits, which takes a moment to find out."""
        page, caller = self._page, self._caller_of(request)
        yield {
            **await self._listed(caller),
            page.here.notice: "",
            page.form.card: gr.Column(visible=caller.is_admin),
            page.form.for_members: "" if caller.is_admin else members_html(),
        }
        yield await self._fitting(caller)

    async def check(self, request: gr.Request, *values: str | None) -> Updates:
        """What stands for and against the model that the form describes."""
        form, wish = self._page.form, read_wish(values)
        try:
            found = await self._desk.check(self._caller_of(request), wish)
        except WorkbenchError as failure:
            return {form.found: "", form.notice: _refused(failure)}
        if found is None:
            text = "It is asked what it honours when it is added, by a dozen requests of a few tokens."
            return {form.found: "", form.notice: notice_html(Kind.INFO, "An endpoint elsewhere", text)}
        return {form.found: feasibility_html(found, wish.source), form.notice: ""}

    async def add(self, request: gr.Request, *values: str | None) -> Updates:
        """Adds the model that the form describes, and watches it load."""
        page, caller = self._page, self._caller_of(request)
        try:
            card = await self._desk.add(caller, read_wish(values))
        except WorkbenchError as failure:
            return {page.form.found: "", page.form.notice: _refused(failure)}
        return {page.loading: card.id, page.form.found: "", page.timer: gr.Timer(active=True),
                **await self._progress(caller, card.id)}  # fmt: skip

    async def tick(self, request: gr.Request, loading: str) -> Updates:
        """How far the model is that this tab waits for."""
        caller = self._caller_of(request)
        try:
            status = self._workbench.model(loading, caller)
        except ModelNotFound:
            page = self._page
            return {page.loading: "", page.timer: gr.Timer(active=False), page.form.notice: ""}
        if status.state is ModelState.LOADING:
            return await self._progress(caller, loading)
        ended = {self._page.loading: "", self._page.timer: gr.Timer(active=False)}
        return {**ended, **await self._progress(caller, loading), **await self._fitting(caller)}

    async def remove(self, request: gr.Request, model: str | None) -> Updates:
        """Takes an added model away."""
        page, caller = self._page, self._caller_of(request)
        try:
            await self._desk.remove(caller, _chosen(model))
        except WorkbenchError as failure:
            return {page.here.notice: error_notice(failure)}
        said = notice_html(
            Kind.INFO, f"{model} is removed", "Its files stay in the hub's cache on this server."
        )
        return {page.here.notice: said, **await self._listed(caller)}

    async def choose(self, request: gr.Request, model: str | None) -> gr.Button:
        """The button that removes it, where it can be removed."""
        caller = self._caller_of(request)
        status = next((status for status in self._workbench.models(caller) if status.card.id == model), None)
        return _remove_button(status, can_remove=caller.is_admin and model in await self._desk.added())

    def chat(self, request: gr.Request, model: str | None) -> tuple[Any, Any]:
        """Region and model of the page where models are talked to."""
        caller = self._caller_of(request)
        models = self._workbench.models(caller)
        status = next((status for status in models if status.card.id == model), None)
        if status is None:
            return gr.skip(), gr.skip()
        region = status.card.region
        choices = model_choices(models, region, is_operator=caller.is_admin)
        return gr.Dropdown(regions(models), value=region), gr.Dropdown(choices, value=status.card.id)

    def take(self, offer: str | None) -> tuple[Any, Any]:
        """Source and quantization of the form, from the list of what fits."""
        quantization, _, model = (offer or "").partition(" ")
        return (model, quantization) if model else (gr.skip(), gr.skip())

    async def _listed(self, caller: Caller, chosen: str | None = None) -> Updates:
        here, models = self._page.here, self._workbench.models(caller)
        added = await self._desk.added()
        ids = [status.card.id for status in models]
        value = chosen if chosen in ids else ids[0]
        return {
            here.table: models_html(models, added),
            here.chosen: gr.Dropdown(ids, value=value),
            here.remove: _remove_button(
                models[ids.index(value)], can_remove=caller.is_admin and value in added
            ),
        }

    async def _progress(self, caller: Caller, model: str) -> Updates:
        status = self._workbench.model(model, caller)
        return {self._page.form.notice: progress_html(status), **await self._listed(caller, model)}

    async def _fitting(self, caller: Caller) -> Updates:
        loaded = sum(status.info.memory_bytes or 0 for status in self._workbench.all_models() if status.info)
        machine = await asyncio.to_thread(lambda: this_machine(free_for_models() + loaded))
        listed = model_list()
        found = offers(machine, listed.models)
        return {
            self._page.fitting: fitting_html(machine, listed, found),
            self._page.offer: gr.Dropdown(offer_choices(found), value=None, visible=caller.is_admin),
        }


def _remove_button(status: ModelStatus | None, *, can_remove: bool) -> gr.Button:
    """It also stops a download, and says so."""
    is_loading = status is not None and status.state is ModelState.LOADING
    return gr.Button("Stop and remove it" if is_loading else "Remove it", visible=can_remove)


def _refused(failure: WorkbenchError) -> str:
    """Why a model is not added; the reason names the cure."""
    return notice_html(Kind.WARNING, "This model cannot be added", failure.message)


def _chosen(model: str | None) -> str:
    """Raises: InvalidRequest when no model is chosen."""
    if not model:
        raise InvalidRequest("Choose a model first.", param="id")
    return model

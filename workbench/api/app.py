"""The API as an app of its own, to be mounted at /openai: a table of contents of its routes."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from workbench import __version__
from workbench.api.errors import add_error_handlers
from workbench.api.openapi import document
from workbench.api.routes import chat, completions, health, models, moderations, tokenize
from workbench.api.schemas.chat import ChatBody
from workbench.api.schemas.completions import CompletionBody
from workbench.api.schemas.moderations import ModerationsBody
from workbench.api.schemas.tokenize import TokenizeBody
from workbench.service import Workbench

BODIES = (ChatBody, CompletionBody, ModerationsBody, TokenizeBody)


def create_api(workbench: Workbench) -> FastAPI:
    """The OpenAI-compatible API over `workbench`.

    It serves only requests that came through `workbench.api.access.Access`, which says who is asking.
    """
    api: FastAPI = FastAPIOffline(
        title="Workbench",
        version=__version__,
        description="OpenAI's API over the models this server has loaded.",
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.workbench = workbench
    add_error_handlers(api)
    for router in (
        chat.router,
        completions.router,
        models.router,
        moderations.router,
        tokenize.router,
        health.openai_router,
    ):
        api.include_router(router)
    api.openapi = document(api, BODIES)  # type: ignore[method-assign]
    return api

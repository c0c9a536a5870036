"""GET /health/live, /health/ready and /openai/health: the only routes that answer anyone."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from workbench.api.auth import CurrentWorkbench
from workbench.backends.pool import LOADING_RETRY_SECONDS
from workbench.core.backend import ModelState
from workbench.core.errors import ModelLoading, Stopping, WeightsError, WorkbenchError
from workbench.service import Readiness

router = APIRouter()
openai_router = APIRouter()


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The default model answers."""

    status: Literal["ready"] = "ready"
    model: str


@router.get("/health/live", summary="Is the server there?")
async def live() -> Alive:
    """Says that the process answers, whatever the models do."""
    return Alive()


@router.get("/health/ready", summary="Does the default model answer?", response_model=Ready)
@openai_router.get("/health", summary="Does the default model answer?", response_model=Ready)
async def ready(workbench: CurrentWorkbench) -> Ready:
    """200 once the default model answers; 503 before, with the stage of its loading, and once the server stops."""
    readiness = workbench.readiness()
    if not readiness.is_ready:
        raise _not_ready(readiness)
    return Ready(model=readiness.status.card.id)


def _not_ready(readiness: Readiness) -> WorkbenchError:
    status = readiness.status
    if readiness.is_stopping:
        return Stopping(retry_after_seconds=LOADING_RETRY_SECONDS)
    if status.state is ModelState.FAILED:
        return WeightsError(
            f"The default model could not be loaded: {status.error}",
            retry_after_seconds=LOADING_RETRY_SECONDS,
            detail={"stage": "failed", "fraction": 0.0},
        )
    return ModelLoading(
        f"Loading the model: {status.stage or 'starting'}, {status.fraction:.0%}.",
        retry_after_seconds=LOADING_RETRY_SECONDS,
        detail={"stage": status.stage, "fraction": status.fraction},
    )

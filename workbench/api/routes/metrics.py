"""GET /metrics: counters, gauges and histograms for Prometheus, for a key of any kind or a session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from workbench.api.auth import CurrentCaller, CurrentWorkbench

router = APIRouter()


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(
    workbench: CurrentWorkbench, _caller: CurrentCaller, accept: Annotated[str, Header()] = ""
) -> Response:
    """Everything counted at this moment. No label holds anything that a request said."""
    content, media_type = workbench.telemetry.exposition(accept)
    return Response(content, headers={"content-type": media_type})

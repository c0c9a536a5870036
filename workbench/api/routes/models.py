"""GET /openai/v1/models and /openai/v1/models/{id}."""

from __future__ import annotations

from fastapi import APIRouter

from workbench.api.auth import CurrentCaller, CurrentWorkbench
from workbench.api.schemas.models import ModelAnswer, ModelList
from workbench.backends.pool import ModelStatus

router = APIRouter()


@router.get("/v1/models", summary="List the models")
async def list_models(caller: CurrentCaller, workbench: CurrentWorkbench) -> ModelList:
    """The models this key may use, the default one first."""
    created = int(workbench.started_at)
    return ModelList(data=[_answer(status, created) for status in workbench.models(caller)])


@router.get("/v1/models/{model:path}", summary="One model")
async def get_model(model: str, caller: CurrentCaller, workbench: CurrentWorkbench) -> ModelAnswer:
    """One model; its id may contain slashes."""
    return _answer(workbench.model(model, caller), int(workbench.started_at))


def _answer(status: ModelStatus, created: int) -> ModelAnswer:
    card, info = status.card, status.info
    context_length = info.context_length if info is not None else card.context_length
    owner, slash, _ = card.id.partition("/")
    return ModelAnswer(
        id=card.id,
        created=created,
        owned_by=owner if slash else "workbench",
        state=status.state.value,
        region=card.region,
        dtype=info.dtype if info is not None else card.dtype,
        quantization=card.quantization,
        context_length=context_length,
        max_model_len=context_length,
        price_per_million_tokens=card.price_per_million_tokens,
        is_batched=info.is_batched if info is not None else None,
        features=sorted(info.features) if info is not None else [],
        description=card.description,
    )

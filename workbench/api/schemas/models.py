"""The catalogue as OpenAI lists models, with what Workbench knows besides."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class ModelAnswer(BaseModel):
    """A model. What is only known once it is loaded is null before.

    `created` is when this server started, in Unix seconds. `price_per_million_tokens` is in credits.
    """

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    state: Literal["unloaded", "loading", "ready", "failed"]
    region: str
    dtype: str | None
    quantization: str
    context_length: int | None
    max_model_len: int | None
    price_per_million_tokens: float | None
    is_batched: bool | None
    features: list[str]
    description: str


class ModelList(BaseModel):
    """All models the caller may use."""

    object: Literal["list"] = "list"
    data: list[ModelAnswer]

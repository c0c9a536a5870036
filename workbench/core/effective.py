"""What really reaches the engine: every parameter with a value, and where that value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.core.params import PARAMS, GenerationParams


class Source(StrEnum):
    """Who decided a value."""

    REQUEST = "request"
    MODEL = "model"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class EffectiveParams:
    """Concrete sampling values. `top_k` 0, `top_p` 1, `min_p` 0 and `repetition_penalty` 1 are off.

    `max_tokens` is the number of tokens the answer may have at the most, already bounded by the context.
    `seed` is always set: drawn by the server when the caller gave none, so that any answer can be repeated.
    """

    temperature: float
    max_tokens: int
    seed: int
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    min_tokens: int = 0
    ignore_eos: bool = False
    stop: tuple[str, ...] = ()
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def is_greedy(self) -> bool:
        """True when the likeliest token is always taken."""
        return self.temperature == 0.0


_SAMPLED_FROM_MODEL = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def resolve(
    params: GenerationParams, model_defaults: Mapping[str, float | int], *, room_tokens: int, fresh_seed: int
) -> EffectiveParams:
    """`params` completed by the model's generation_config, then by OpenAI's defaults.

    `room_tokens` is what the context leaves after the prompt: the value of an absent max_tokens. `fresh_seed`
    is used when the caller set none. Values the caller set are taken as they are; nothing is clamped.
    """
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for name in (*_SAMPLED_FROM_MODEL, "presence_penalty", "frequency_penalty", "min_tokens", "ignore_eos"):
        asked = getattr(params, name)
        if asked is not None:
            values[name], sources[name] = asked, Source.REQUEST
        elif name in _SAMPLED_FROM_MODEL and name in model_defaults:
            values[name], sources[name] = model_defaults[name], Source.MODEL
        else:
            default = PARAMS[name].api_default
            values[name], sources[name] = (default if default is not None else False), Source.DEFAULT
    values["top_k"] = max(int(values["top_k"]), 0)
    for name, fallback in (("max_tokens", room_tokens), ("seed", fresh_seed)):
        asked = getattr(params, name)
        values[name] = fallback if asked is None else asked
        sources[name] = Source.DEFAULT if asked is None else Source.REQUEST
    values["stop"] = params.stop_strings()
    sources["stop"] = Source.DEFAULT if params.stop is None else Source.REQUEST
    values["logit_bias"] = {int(token): bias for token, bias in (params.logit_bias or {}).items()}
    sources["logit_bias"] = Source.DEFAULT if params.logit_bias is None else Source.REQUEST
    return EffectiveParams(**values, sources=sources)

"""The one table of generation parameters: type, range, step, label, description, and both kinds of default.

The API's schema, the panel's sliders, the snippets, the docs and the engine all read `GenerationParams` and
`PARAMS`. Two columns of defaults are kept apart on purpose: `api_default` is what an absent field means over
the API
(unless the model's own generation_config says otherwise), `panel_default` is where the page's slider starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_STOP_STRINGS = 4
MAX_CHOICES = 16
MAX_SEED = 2**63 - 1

StopString = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
StopList = Annotated[list[StopString], Field(max_length=MAX_STOP_STRINGS)]
TokenIdText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
Bias = Annotated[float, Field(ge=-100, le=100)]


class Control(StrEnum):
    """How the panel shows a parameter."""

    SLIDER = "slider"
    NUMBER = "number"
    STRINGS = "strings"
    SWITCH = "switch"


def _param(
    description: str,
    *,
    label: str,
    default: float | int | None = None,
    panel: float | int | None = None,
    order: int | None = None,
    low: float | None = None,
    high: float | None = None,
    panel_high: float | None = None,
    step: float | None = None,
    control: Control = Control.SLIDER,
) -> Any:
    """One row of the table as a pydantic field.

    `order` is its place in the panel, None keeps it off the sliders; `panel_high` is where the slider ends
    when the API's own limit is higher or missing.
    """
    return Field(
        default=None,
        ge=low,
        le=high,
        title=label,
        description=description,
        json_schema_extra={
            "x-workbench": {
                "label": label,
                "api_default": default,
                "panel_default": panel,
                "order": order,
                "low": low,
                "high": high,
                "panel_high": panel_high if panel_high is not None else high,
                "step": step,
                "control": control.value,
            }
        },
    )


class GenerationParams(BaseModel):
    """What a caller set. None means "not set", which is not the same as any value.

    Validation is strict: `"0.7"` is not a number and `true` is not 1.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: float | None = _param(
        "Sharpens (below 1) or flattens (above 1) the distribution. 0 always takes the likeliest token.",
        label="Temperature", default=1.0, panel=0.7, order=0, low=0.0, high=2.0, step=0.05,
    )  # fmt: skip
    max_tokens: int | None = _param(
        "The most tokens to generate, reasoning included. Not set: what the context leaves.",
        label="Max tokens", default=None, panel=2000, order=1, low=0, panel_high=4096, step=1,
    )  # fmt: skip
    top_p: float | None = _param(
        "Nucleus sampling: keeps the likeliest tokens that together reach this probability. 1 keeps all.",
        label="Top P", default=1.0, panel=1.0, order=2, low=0.0, high=1.0, step=0.01,
    )  # fmt: skip
    top_k: int | None = _param(
        "Keeps only the k likeliest tokens. 0 or -1 keeps all.",
        label="Top K", default=0, panel=40, order=3, low=-1, panel_high=100, step=1,
    )  # fmt: skip
    stop: StopString | StopList | None = Field(
        default=None,
        title="Stop",
        description="Up to 4 strings. Generation ends before the first of them; it is never in the answer.",
        json_schema_extra={
            "x-workbench": {
                "label": "Stop",
                "order": 4,
                "control": Control.STRINGS.value,
                "api_default": None,
            }
        },
    )
    presence_penalty: float | None = _param(
        "Subtracted once from the logit of every token already in the answer (OpenAI's additive formula).",
        label="Presence penalty", default=0.0, panel=0.5, order=5, low=-2.0, high=2.0, step=0.1,
    )  # fmt: skip
    frequency_penalty: float | None = _param(
        "Subtracted from a token's logit for every time it is already in the answer (OpenAI's "
        "additive formula).",
        label="Frequency penalty", default=0.0, panel=0.0, order=6, low=-2.0, high=2.0, step=0.1,
    )  # fmt: skip
    min_p: float | None = _param(
        "Keeps tokens at least this fraction as likely as the likeliest one. 0 keeps all.",
        label="Min P", default=0.0, low=0.0, high=1.0, step=0.01,
    )  # fmt: skip
    repetition_penalty: float | None = _param(
        "Divides positive and multiplies negative logits of tokens in prompt or answer (CTRL's "
        "formula). 1 is off.",
        label="Repetition penalty", default=1.0, low=0.01, high=10.0, step=0.05,
    )  # fmt: skip
    seed: int | None = _param(
        "Fixes every random draw: alone on the same machine the same seed gives the same tokens.",
        label="Seed", low=-(2**63), high=MAX_SEED, step=1, control=Control.NUMBER,
    )  # fmt: skip
    min_tokens: int | None = _param(
        "No end of text and no stop string before this many tokens.",
        label="Min tokens", default=0, low=0, step=1, control=Control.NUMBER,
    )  # fmt: skip
    ignore_eos: bool | None = _param(
        "Goes on past the model's end-of-text token until max_tokens; for load tests of a fixed length.",
        label="Ignore end of text", control=Control.SWITCH,
    )  # fmt: skip
    logit_bias: dict[TokenIdText, Bias] | None = Field(
        default=None,
        title="Logit bias",
        description="Token id -> bias from -100 to 100, added to the token's logit.",
        json_schema_extra={"x-workbench": {"label": "Logit bias", "control": Control.STRINGS.value}},
    )

    def set_fields(self) -> dict[str, Any]:
        """The parameters that were given a value, by name, in the table's order."""
        return {name: value for name in PARAM_NAMES if (value := getattr(self, name)) is not None}

    def stop_strings(self) -> tuple[str, ...]:
        """`stop` as a tuple, whether one string, a list or nothing was given."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One row of the table, as panel, docs and snippets read it."""

    name: str
    label: str
    description: str
    control: Control
    low: float | None
    high: float | None
    panel_high: float | None
    step: float | None
    api_default: float | int | None
    panel_default: float | int | None
    order: int | None
    is_integer: bool


def _spec(name: str) -> ParamSpec:
    field = GenerationParams.model_fields[name]
    extra = field.json_schema_extra
    row: Mapping[str, Any] = extra["x-workbench"] if isinstance(extra, dict) else {}  # type: ignore[assignment]
    return ParamSpec(
        name=name,
        label=row["label"],
        description=field.description or "",
        control=Control(row["control"]),
        low=row.get("low"),
        high=row.get("high"),
        panel_high=row.get("panel_high"),
        step=row.get("step"),
        api_default=row.get("api_default"),
        panel_default=row.get("panel_default"),
        order=row.get("order"),
        is_integer="int" in str(field.annotation),
    )


PARAM_NAMES: tuple[str, ...] = tuple(GenerationParams.model_fields)
PARAMS: dict[str, ParamSpec] = {name: _spec(name) for name in PARAM_NAMES}
PANEL_PARAMS: tuple[ParamSpec, ...] = tuple(
    sorted((spec for spec in PARAMS.values() if spec.order is not None), key=lambda spec: spec.order or 0)
)

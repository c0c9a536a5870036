"""What every request body has in common: strict types, no unknown fields, null as absent, values refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

UNSUPPORTED = "unsupported_parameter"
"""The validation error type that becomes a 400 with the code `unsupported_parameter`."""


def unsupported(message: str, field: str = "") -> PydanticCustomError:
    """The error a validator raises for a value that asks for what this server lacks.

    A validator of a whole object names the `field` of it that is at fault.
    """
    return PydanticCustomError(UNSUPPORTED, "{message}", {"message": message, "field": field})


def invalid(message: str, field: str = "") -> PydanticCustomError:
    """The error a validator raises for a value that is wrong for any server; `field` as in `unsupported`."""
    return PydanticCustomError("invalid_value", "{message}", {"message": message, "field": field})


def only(*accepted: object, why: str) -> AfterValidator:
    """Lets through the values that ask for nothing and refuses the others; `why` says what is lacking."""

    def check(value: Any) -> Any:
        if value not in accepted:
            raise unsupported(why)
        return value

    return AfterValidator(check)


def refused(why: str) -> AfterValidator:
    """Refuses any value: the field is known, but nothing here honours it."""
    return only(why=why)


class WireModel(BaseModel):
    """A JSON object of a request. A field that is null counts as absent, also a required or unknown one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {name: item for name, item in value.items() if item is not None}
        return value


def tagged(choose: Callable[[Any], str]) -> Callable[[Any], str]:
    """`choose` for a union's Discriminator.

    Tags are written in angle brackets, which no field name has, so that they can be told from the path of a
    validation error.
    """

    def tag(value: Any) -> str:
        return f"<{choose(value)}>"

    return tag

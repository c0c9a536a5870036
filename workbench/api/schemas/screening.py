"""The fields that ask for screening: OpenAI's `moderation`, and `safety_model` as some hosts call it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from guard.policy import DirectionPolicy, Mode, ScreeningPolicy
from workbench.api.schemas.base import WireModel, invalid
from workbench.screening import ScreeningChoice

GuardName = Annotated[str, StringConstraints(min_length=1)]
HazardCode = Annotated[str, StringConstraints(min_length=1)]


class SidePolicy(WireModel):
    """What is done with one side. `score` tells the verdict; `block` also refuses what is flagged."""

    mode: Literal["score", "block"]
    threshold: float | None = Field(default=None, ge=0, le=1)
    """The smallest P(unsafe) that is flagged; by default the guard's own."""
    categories: Annotated[list[HazardCode], Field(min_length=1)] | None = None
    """The guard's own codes, such as S1, that count; by default all do."""

    def normal(self) -> DirectionPolicy:
        """The policy in its normal form."""
        categories = None if self.categories is None else frozenset(self.categories)
        return DirectionPolicy(Mode(self.mode), self.threshold, categories)


class SidesPolicy(WireModel):
    """What is done with either side; a side that is absent is not screened."""

    input: SidePolicy | None = None
    output: SidePolicy | None = None

    def normal(self) -> ScreeningPolicy:
        """The policy in its normal form."""
        return ScreeningPolicy(
            input=DirectionPolicy() if self.input is None else self.input.normal(),
            output=DirectionPolicy() if self.output is None else self.output.normal(),
        )


class ModerationBody(WireModel):
    """OpenAI's `moderation`: a guard's name, and what it does. Without a policy both sides are scored."""

    model: GuardName | None = None
    policy: SidesPolicy | None = None

    def normal(self) -> ScreeningChoice:
        """What is asked, in its normal form."""
        policy = _both(Mode.SCORE) if self.policy is None else self.policy.normal()
        return ScreeningChoice(policy, self.model)


class AsksForScreening(WireModel):
    """`safety_model` names a guard that blocks both sides."""

    moderation: ModerationBody | None = None
    safety_model: GuardName | None = None

    @model_validator(mode="after")
    def _asks_once(self) -> AsksForScreening:
        if self.moderation is not None and self.safety_model is not None:
            raise invalid("It says the same as `moderation`. Send one of them.", "safety_model")
        return self

    def screening(self) -> ScreeningChoice | None:
        """What is asked of the guard; None when nothing is."""
        if self.moderation is not None:
            return self.moderation.normal()
        if self.safety_model is not None:
            return ScreeningChoice(_both(Mode.BLOCK), self.safety_model, param="safety_model")
        return None


def _both(mode: Mode) -> ScreeningPolicy:
    return ScreeningPolicy(input=DirectionPolicy(mode), output=DirectionPolicy(mode))

"""What load an experiment puts on its candidates, and the quality it asks of them meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from evaluators.load import (
    MINIMUM_REQUESTS,
    RateProfile,
    Spacing,
    arrival_times,
    burst,
    constant,
    parse_duration,
    parse_rate,
    ramp,
)
from workbench.core.errors import ConfigurationError

_DOUBLING = 2.0


def _rate(text: str) -> str:
    parse_rate(text)
    return text


def _duration(text: str) -> str:
    parse_duration(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Duration = Annotated[str, AfterValidator(_duration)]


class LoadShape(StrEnum):
    """How the load goes on over time."""

    CONSTANT = "constant"
    BURST = "burst"
    """A rate with regular peaks."""
    RAMP = "ramp"
    """A rate that rises steadily."""
    SWEEP = "sweep"
    """Levels of a constant rate, one after another, until one is too much; then the gap is narrowed."""
    CLOSED = "closed"
    """So many requests at a time, each sent when another has ended: for throughput, not for latency."""


class LoadSpec(BaseModel):
    """Load. Open-loop unless `concurrency` is set: requests are due by the clock, however slow the answers are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: Rate = "90/min"
    """With the default duration just over 72 requests: fewer bound no 95th percentile from above."""
    duration: Duration = "60s"
    """Of the test; of each level, in a sweep."""
    peak: Rate | None = None
    """The rate of 10-second peaks, one a minute."""
    ramp_to: Rate | None = None
    """The rate at the end of a steady rise from `rate`."""
    sweep_to: Rate | None = None
    """The highest level of a sweep, which doubles from `rate` on until a level is overloaded."""
    refinements: int = Field(default=2, ge=0, le=6)
    """How often a sweep halves the gap between the highest sustained and the lowest overloaded level."""
    spacing: Spacing = Spacing.POISSON
    """How requests spread around the rate: `poisson`, independent of each other as people's are, or `even`."""
    concurrency: int | None = Field(default=None, ge=1, le=256)
    """Requests at a time in a closed loop, in place of a rate."""
    output_tokens: int = Field(default=16, ge=1)
    """Tokens of every answer; the end of text is ignored, so that all requests are alike."""
    data: str = "truthfulqa"
    """Where the questions come from."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        shapes = [name for name in ("peak", "ramp_to", "sweep_to", "concurrency") if getattr(self, name)]
        if len(shapes) > 1:
            raise ValueError(f"choose one of {' and '.join(shapes)}: a load has one shape")
        if self.sweep_to is not None:
            if parse_rate(self.sweep_to) <= self.rate_per_s:
                raise ValueError("sweep_to must be above the rate")
            if self.rate_per_s * self.duration_s < MINIMUM_REQUESTS:
                raise ValueError(f"every level of a sweep needs time for {MINIMUM_REQUESTS} requests")
        return self

    @property
    def shape(self) -> LoadShape:
        """How it goes on over time."""
        if self.concurrency is not None:
            return LoadShape.CLOSED
        shapes = (
            (self.peak, LoadShape.BURST),
            (self.ramp_to, LoadShape.RAMP),
            (self.sweep_to, LoadShape.SWEEP),
        )
        return next((shape for value, shape in shapes if value is not None), LoadShape.CONSTANT)

    @property
    def rate_per_s(self) -> float:
        """Requests a second: outside of peaks, at the ramp's foot, at the sweep's first level."""
        return parse_rate(self.rate)

    @property
    def duration_s(self) -> float:
        """Seconds, of each level."""
        return parse_duration(self.duration)

    @property
    def levels(self) -> tuple[float, ...]:
        """The rates of a sweep's way up, requests a second; the rate alone for other shapes."""
        if self.sweep_to is None:
            return (self.rate_per_s,)
        top, rates = parse_rate(self.sweep_to), [self.rate_per_s]
        while rates[-1] * _DOUBLING < top:
            rates.append(rates[-1] * _DOUBLING)
        return (*rates, top)

    @property
    def longest_s(self) -> float:
        """Seconds of the whole test; of a sweep, when every level it may take is taken."""
        refinements = self.refinements if self.shape is LoadShape.SWEEP else 0
        return (len(self.levels) + refinements) * self.duration_s

    def profile(self, rate_per_s: float | None = None) -> RateProfile:
        """The rate over time; of one level of a sweep where its rate is given.

        Raises: ConfigurationError when a peak does not fit.
        """
        rate, seconds = self.rate_per_s if rate_per_s is None else rate_per_s, self.duration_s
        try:
            if self.peak is not None:
                return burst(rate, parse_rate(self.peak), seconds)
            return (
                constant(rate, seconds)
                if self.ramp_to is None
                else ramp(rate, parse_rate(self.ramp_to), seconds)
            )
        except ValueError as failure:
            raise ConfigurationError(f"The load: {failure}.") from failure

    def due(self, seed: int, rate_per_s: float | None = None) -> list[float]:
        """When each request is due, in seconds from the start; Poisson ones are drawn by the seed.

        Raises: ConfigurationError when none is, or a peak does not fit.
        """
        moments: list[float] = arrival_times(self.profile(rate_per_s), self.spacing, seed=seed).tolist()
        if not moments:
            raise ConfigurationError("No request is due in the load test: raise its rate or duration.")
        return moments

    @property
    def sentence(self) -> str:
        """The load in words."""
        seconds = f"{self.duration_s:g} s"
        match self.shape:
            case LoadShape.CLOSED:
                return f"{self.concurrency} requests at a time for {seconds}"
            case LoadShape.BURST:
                return f"{self.rate} with 10-second peaks of {self.peak} for {seconds}"
            case LoadShape.RAMP:
                return f"rising from {self.rate} to {self.ramp_to} in {seconds}"
            case LoadShape.SWEEP:
                return f"levels of {seconds} from {self.rate} up to {self.sweep_to} until one is too much"
            case LoadShape.CONSTANT:
                return f"{self.rate} for {seconds}"


class UnderLoadSpec(BaseModel):
    """Quality under load: the items of one probe again, at several concurrencies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    """The name of the experiment's probe whose items are asked."""
    concurrency: int = Field(default=4, ge=2, le=128)
    """N: the items are asked one at a time, N at a time, and 2 N at a time."""
    limit: int = Field(default=50, ge=5)
    """Items taken of the probe's."""

    @property
    def levels(self) -> tuple[int, int, int]:
        """How many items are asked at once, level by level; the first is what the others are held against."""
        return 1, self.concurrency, 2 * self.concurrency

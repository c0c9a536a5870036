"""The way out: which measured deployment is fastest, cheapest, best value, and what a hosted one would cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from genai_prices import Usage, calc_price

from evaluators.speed import SECONDS_PER_HOUR, cost_per_million_tokens
from evaluators.verdict import Decision

HOURS_PER_MONTH = 730
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Deployment:
    """One measured way to serve: a candidate on a machine, at the load it was measured under."""

    name: str
    price_per_hour: float
    """Of the whole machine that was measured."""
    ttft_p95_ms: float
    output_tokens_per_second: float
    requests_per_minute: float
    """The highest load it was seen to sustain."""
    decision: Decision
    """Against the team's requirements."""

    def __post_init__(self) -> None:
        """Refuses what was not measured."""
        measured = (self.ttft_p95_ms, self.output_tokens_per_second, self.requests_per_minute)
        if self.price_per_hour < 0 or not all(math.isfinite(value) and value > 0 for value in measured):
            raise ValueError("a deployment needs a price and measured latency, throughput and rate above 0")

    @property
    def cost_per_million_tokens(self) -> float:
        """Output tokens, at the load it was measured under."""
        return cost_per_million_tokens(self.price_per_hour, self.output_tokens_per_second)


@dataclass(frozen=True, slots=True)
class Choice:
    """A deployment and how many machines of it the asked load takes."""

    deployment: Deployment
    machines: int
    price_per_hour: float
    """Of all of them."""
    cost_per_request: float
    """Of the asked load, idle time included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Three answers, which may name the same deployment; None when none is left to choose from."""

    best_performance: Choice | None
    """The lowest TTFT p95."""
    lowest_cost: Choice | None
    """The lowest price for carrying the asked load."""
    best_value: Choice | None
    """The lowest product of price and TTFT p95: paying twice as much must make it at least twice as fast."""
    is_proven: bool
    """Whether only deployments that passed every requirement were considered; else those that broke none."""


def deployment_plan(deployments: Sequence[Deployment], requests_per_minute: float) -> Plan:
    """The plan for the asked load. What broke a requirement is left out; what passed all goes before the undecided.

    Machines are added until they carry the load together, each what it was seen to sustain alone.

    Raises: ValueError unless the asked load is above 0.
    """
    if requests_per_minute <= 0:
        raise ValueError("a plan is for a load above 0")
    passed = [d for d in deployments if d.decision is Decision.GO]
    open_ones = [d for d in deployments if d.decision is Decision.NOT_ENOUGH_DATA]
    choices = [_choice(deployment, requests_per_minute) for deployment in passed or open_ones]
    return Plan(
        best_performance=min(
            choices, key=lambda c: (c.deployment.ttft_p95_ms, c.price_per_hour), default=None
        ),
        lowest_cost=min(choices, key=lambda c: (c.price_per_hour, c.deployment.ttft_p95_ms), default=None),
        best_value=min(choices, key=lambda c: c.price_per_hour * c.deployment.ttft_p95_ms, default=None),
        is_proven=bool(passed),
    )


def _choice(deployment: Deployment, requests_per_minute: float) -> Choice:
    machines = math.ceil(requests_per_minute / deployment.requests_per_minute)
    price = machines * deployment.price_per_hour
    return Choice(deployment, machines, price, price / (requests_per_minute * 60))


def cost_at_duty(price_per_hour: float, tokens_per_second: float, duty: float) -> float:
    """Cost per million output tokens of a machine that is paid all the time and busy for the share `duty` of it.

    Raises: ValueError unless 0 < duty <= 1.
    """
    if not 0 < duty <= 1:
        raise ValueError("a duty cycle is a share above 0 and at most 1")
    return cost_per_million_tokens(price_per_hour, tokens_per_second * duty)


@dataclass(frozen=True, slots=True)
class HostedPrice:
    """What a hosted endpoint charges, in USD per million tokens, from the genai-prices data of this installation."""

    provider: str
    model: str
    input_per_million: float
    output_per_million: float


def hosted_price(model: str, provider: str) -> HostedPrice | None:
    """The provider's list price for the model, or None when it is not in the data."""
    try:
        price = calc_price(
            Usage(input_tokens=MILLION, output_tokens=MILLION), model_ref=model, provider_id=provider
        )
    except LookupError:
        return None
    return HostedPrice(
        price.provider.id, price.model.id, _number(price.input_price), _number(price.output_price)
    )


def _number(price: Decimal | None) -> float:
    return 0.0 if price is None else float(price)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From which load on the own machine is cheaper than the hosted endpoint."""

    requests_per_minute: float
    """Average over the whole month; infinite where the hosted endpoint is free."""
    hosted_cost_per_request: float
    is_reachable: bool
    """Whether one machine sustains that many; if not, hosting is cheaper whatever the load."""


def break_even(
    deployment: Deployment, hosted: HostedPrice, *, prompt_tokens: float, output_tokens: float
) -> BreakEven:
    """Where the month's bills meet, for requests of this average size.

    Raises: ValueError for negative sizes.
    """
    if prompt_tokens < 0 or output_tokens < 0:
        raise ValueError("requests have no negative sizes")
    per_request = (
        prompt_tokens * hosted.input_per_million + output_tokens * hosted.output_per_million
    ) / MILLION
    if per_request == 0:
        return BreakEven(math.inf, 0.0, is_reachable=False)
    rate = deployment.price_per_hour / per_request / (SECONDS_PER_HOUR / 60)
    return BreakEven(rate, per_request, rate <= deployment.requests_per_minute)

"""What the same requests would cost at a hosted endpoint, and from when on an own machine is cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.capacity import Fit, Load
from evaluators.hardware import HardwareCatalogue
from evaluators.plan import MILLION, Deployment, HostedPrice, break_even, hosted_price
from workbench.core.errors import ConfigurationError
from workbench.experiments.plan.forecasts import CandidateForecast

OFFERED = (
    "openai/gpt-5-nano",
    "openai/gpt-4o-mini",
    "groq/llama-3.1-8b-instant",
    "together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
    "openai/gpt-5-mini",
)
"""Hosted models that the page offers to compare with, cheap ones first; any of genai-prices' can be named."""
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class GpuBreakEven:
    """The cheapest GPU that is known to fit: a forecast, so a bound and no promise."""

    gpu: str
    cost_per_hour_at_least: float
    requests_per_minute_at_least: float
    """Below this many requests a minute, all month long, the hosted endpoint is cheaper for certain."""


@dataclass(frozen=True, slots=True)
class HostedComparison:
    """One candidate against the hosted endpoint, for requests of the size that was tested. USD."""

    candidate: str
    hosted: HostedPrice
    prompt_tokens: int
    output_tokens: int
    cost_per_request: float
    """At the hosted endpoint."""
    dearest_hour: float | None
    """What an hour of the measured machine may cost at most, kept busy at its sustained rate; None without one."""
    break_even_per_minute: float | None
    """From this many requests a minute on, all month long, the measured machine is cheaper; None without its price."""
    is_reachable: bool
    """Whether the measured machine sustains that many."""
    gpu: GpuBreakEven | None


def parse_hosted(name: str) -> HostedPrice:
    """The list price of "provider/model".

    Raises: ConfigurationError when genai-prices knows none.
    """
    provider, _, model = name.partition("/")
    found = hosted_price(model, provider) if provider and model else None
    if found is None:
        raise ConfigurationError(
            f"No hosted price is known for {name!r}: write provider/model, such as {OFFERED[0]}."
        )
    return found


def compare_with_hosted(
    hosted: HostedPrice,
    loads: Mapping[str, Load],
    sustained: Mapping[str, float],
    priced: Sequence[Deployment],
    forecasts: Sequence[CandidateForecast],
    hardware: HardwareCatalogue,
) -> tuple[HostedComparison, ...]:
    """Every candidate that was loaded.

    `loads` are the requests that were tested, `sustained` the requests a minute each candidate kept up with, `priced`
    the measured deployments whose machine has a price.
    """
    own = {deployment.name: deployment for deployment in priced}
    gpus = {made.candidate: made for made in forecasts}
    return tuple(
        _compare(
            hosted,
            candidate,
            load,
            sustained.get(candidate),
            own.get(candidate),
            gpus.get(candidate),
            hardware,
        )
        for candidate, load in loads.items()
    )


def _compare(
    hosted: HostedPrice,
    candidate: str,
    load: Load,
    sustained: float | None,
    own: Deployment | None,
    made: CandidateForecast | None,
    hardware: HardwareCatalogue,
) -> HostedComparison:
    prompt, output = load.prompt_tokens, load.output_tokens
    per_request = (prompt * hosted.input_per_million + output * hosted.output_per_million) / MILLION
    point = None if own is None else break_even(own, hosted, prompt_tokens=prompt, output_tokens=output)
    return HostedComparison(
        candidate=candidate,
        hosted=hosted,
        prompt_tokens=prompt,
        output_tokens=output,
        cost_per_request=per_request,
        dearest_hour=None if sustained is None else sustained * _MINUTES_PER_HOUR * per_request,
        break_even_per_minute=None if point is None else point.requests_per_minute,
        is_reachable=point is not None and point.is_reachable,
        gpu=None if made is None else _cheapest(made, per_request, hardware),
    )


def _cheapest(
    made: CandidateForecast, per_request: float, hardware: HardwareCatalogue
) -> GpuBreakEven | None:
    """One replica of the cheapest GPU that fits: nothing can be served for less."""
    priced = [
        (price * row.gpus_per_replica, row.gpu)
        for row in made.rows
        if row.fit is Fit.FITS
        and row.gpus_per_replica is not None
        and (price := hardware.gpus[row.gpu].price_per_hour) is not None
    ]
    if not priced or per_request <= 0:
        return None
    cost, gpu = min(priced)
    return GpuBreakEven(gpu, cost, cost / per_request / _MINUTES_PER_HOUR)

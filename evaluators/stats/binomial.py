"""Binomial probabilities, exact and without overflow."""

from __future__ import annotations

import numpy as np

from evaluators.stats.estimate import FloatArray


def binomial_pmf(count: int, probability: float) -> FloatArray:
    """P(X = k) for k = 0 ... count, where X is the number of successes in `count` tries.

    Raises: ValueError unless count >= 0 and 0 < probability < 1.
    """
    if count < 0 or not 0.0 < probability < 1.0:
        raise ValueError(f"no binomial distribution has {count} tries at probability {probability}")
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    k = np.arange(count + 1)
    log_choose = log_factorial[count] - log_factorial - log_factorial[::-1]
    pmf: FloatArray = np.exp(log_choose + k * np.log(probability) + (count - k) * np.log1p(-probability))
    return pmf


def binomial_cdf(count: int, probability: float) -> FloatArray:
    """P(X <= k) for k = 0 ... count."""
    return np.minimum(np.cumsum(binomial_pmf(count, probability)), 1.0)

"""Statistics for verdicts: intervals that keep their level, paired tests, ratings, how much data is enough.

Every interval is two-sided, 95 % unless asked otherwise, and is checked by simulation in its tests.
"""

from __future__ import annotations

from evaluators.stats.bootstrap import MINIMUM_ITEMS, mean_estimate, share_estimate
from evaluators.stats.bradley_terry import Outcome, Ranking, Rating, Vote, comparable_groups, rank
from evaluators.stats.estimate import DEFAULT_LEVEL, Estimate, Interval
from evaluators.stats.multiple import comparison_note, holm
from evaluators.stats.paired import (
    PairedComparison,
    compare_means,
    compare_rates,
    compare_shares,
    mcnemar,
    sign_flip_test,
)
from evaluators.stats.power import (
    items_for_difference,
    items_for_mean,
    items_for_rate,
    minimum_detectable_difference,
)
from evaluators.stats.proportion import rate_estimate, wilson
from evaluators.stats.quantile import percentile, percentile_estimate, percentile_interval, values_needed

__all__ = [
    "DEFAULT_LEVEL",
    "MINIMUM_ITEMS",
    "Estimate",
    "Interval",
    "Outcome",
    "PairedComparison",
    "Ranking",
    "Rating",
    "Vote",
    "comparable_groups",
    "compare_means",
    "compare_rates",
    "compare_shares",
    "comparison_note",
    "holm",
    "items_for_difference",
    "items_for_mean",
    "items_for_rate",
    "mcnemar",
    "mean_estimate",
    "minimum_detectable_difference",
    "percentile",
    "percentile_estimate",
    "percentile_interval",
    "rank",
    "rate_estimate",
    "share_estimate",
    "sign_flip_test",
    "values_needed",
    "wilson",
]

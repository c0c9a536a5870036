"""The mean of the weights that a training started from and of those it ended with (Wortsman et al., 2022, WiSE-FT).

Fine-tuning makes a network surer of what it was shown last, and rasher about the rest: the mean keeps most of what was
learnt and orders texts that neither saw better than both do.
"""

from __future__ import annotations

from pathlib import Path

from guard.embedded.weights import read_weights, write_weights


def average_weights(start: Path, trained: Path, share: float) -> None:
    """Replace the file `trained` by `share` of itself and `1 - share` of `start`.

    Both are read as stored, that is quantised, so that the result follows from the two files alone.

    Args:
        start: weights written by `write_weights`.
        trained: the same tensors after training.
        share: from 0 (all of `start`) to 1 (all of `trained`).

    Raises:
        ValueError: `share` is outside [0, 1], or the files have different tensors.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1: {share}")
    before, after = read_weights(start), read_weights(trained)
    if before.keys() != after.keys():
        raise ValueError(f"the weights have different tensors: {sorted(before.keys() ^ after.keys())}")
    mean = {name: (1 - share) * before[name] + share * tensor for name, tensor in after.items()}
    write_weights(mean, trained)

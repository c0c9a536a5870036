"""Random draws from a distribution over the vocabulary: an exponential race, keyed by (seed, choice, step).

Each token i gets a time E_i from the standard exponential distribution, and the token with the least E_i / p_i wins:
it is i with probability p_i (the Gumbel-max trick, Maddison et al. 2014, in its exponential form). A token's time
depends on nothing but the key and the token, so rounding that moves p by a hair changes the winner only where two
tokens were about to arrive together; with one number and the cumulative sum, every small token after the first that
moved would have changed places.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import torch


@dataclass(frozen=True, slots=True)
class DrawKey:
    """Two signed 32-bit words that decide all times of one draw."""

    first: int
    second: int

    @classmethod
    def of(cls, seed: int, choice: int, step: int) -> Self:
        """The key of one choice's draw at one step: a keyed BLAKE2b hash of signed 64-bit `seed`, `choice`, `step`."""
        message = struct.pack("<qqq", seed, choice, step)
        return cls(*struct.unpack("<ii", hashlib.blake2b(message, digest_size=8, person=b"wb-draw").digest()))


def draw(probabilities: torch.Tensor, keys: Sequence[DrawKey]) -> torch.Tensor:
    """The drawn token of each row, int64 [B].

    Args:
        probabilities: float32 [B, V], at least 0; they need not sum to 1. A token of probability 0 is never drawn.
        keys: B keys.
    """
    return (probabilities / exponential_times(keys, probabilities.shape[-1], probabilities.device)).argmax(
        dim=-1
    )


def exponential_times(keys: Sequence[DrawKey], size: int, device: torch.device) -> torch.Tensor:
    """Independent standard exponential numbers in (0, inf], float32 [B, size]; a row depends on its key alone.

    Integer arithmetic of 32 bits that wraps around, so every device computes the same bits up to the logarithm.
    """
    words = torch.tensor([[key.first, key.second] for key in keys], dtype=torch.int32, device=device)
    bits = _token_words(size, device) ^ words[:, :1]
    bits ^= (bits >> 16) & 0xFFFF
    bits *= 0x7FEB352D
    bits += words[:, 1:]
    bits ^= (bits >> 15) & 0x1FFFF
    bits *= -0x7B935975  # 0x846ca68b as a signed number
    bits ^= (bits >> 16) & 0xFFFF
    # 31 bits: small uniforms keep their full precision, and they are the ones that win. -log(1 - u) of u in (0, 1].
    uniforms = (bits & 0x7FFFFFFF).to(torch.float32).add_(0.5).mul_(-(2.0**-31))
    return uniforms.log1p_().neg_()


@lru_cache(maxsize=8)
def _token_words(size: int, device: torch.device) -> torch.Tensor:
    """A well-mixed word for each token, int32 [1, size] (the integer finaliser `lowbias32` of Chris Wellons)."""
    words = torch.arange(1, size + 1, dtype=torch.int32, device=device)
    words ^= (words >> 16) & 0xFFFF
    words *= 0x7FEB352D
    words ^= (words >> 15) & 0x1FFFF
    words *= -0x7B935975
    words ^= (words >> 16) & 0xFFFF
    return words.unsqueeze(0)

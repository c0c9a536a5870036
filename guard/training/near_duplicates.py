"""Near-duplicate texts by MinHash over single words and pairs of neighbours (Broder, 1997).

Signatures hold one byte a permutation, so they can be shipped as evidence: they show that no training text is close
to a tuning or held-out text, and hold no text themselves.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 64
BAND = 4  # signature bytes that must agree for two texts to be compared
LIMIT = 0.7  # estimated Jaccard similarity from which two texts count as near-duplicates
PRIME = (1 << 31) - 1
WORD = re.compile(r"\w+")

Signatures = NDArray[np.uint8]  # [texts, PERMUTATIONS]


def shingles(text: str) -> set[int]:
    """Hashes of the text's lower-case words and of each two words in a row."""
    words = WORD.findall(text.lower())
    parts = words + [" ".join(pair) for pair in pairwise(words)]
    return {zlib.crc32(part.encode()) for part in parts or [text.strip()]}


def signatures(texts: Sequence[str]) -> Signatures:
    """The texts' MinHash signatures, each minimum cut to its lowest byte."""
    chance = np.random.default_rng(20)
    factor = chance.integers(1, PRIME, PERMUTATIONS, dtype=np.uint64)
    shift = chance.integers(0, PRIME, PERMUTATIONS, dtype=np.uint64)
    result = np.empty((len(texts), PERMUTATIONS), dtype=np.uint8)
    for number, text in enumerate(texts):
        hashes = np.fromiter(shingles(text), dtype=np.uint64) % np.uint64(PRIME)
        permuted = (hashes[:, None] * factor + shift) % np.uint64(PRIME)
        result[number] = (permuted.min(axis=0) & np.uint64(0xFF)).astype(np.uint8)
    return result


def near_duplicates(candidates: Signatures, reference: Signatures, limit: float = LIMIT) -> NDArray[np.bool_]:
    """Which candidates are at least `limit` similar to some reference text: bool [candidates].

    Pairs that share no band are not compared: at a similarity of 0.7 about one pair in 80 is missed.
    """
    found = np.zeros(len(candidates), dtype=np.bool_)
    for start in range(0, PERMUTATIONS, BAND):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for number, band in enumerate(reference[:, start : start + BAND]):
            buckets[band.tobytes()].append(number)
        for number, band in enumerate(candidates[:, start : start + BAND]):
            others = [] if found[number] else buckets.get(band.tobytes(), [])
            if others:
                found[number] = bool(((reference[others] == candidates[number]).mean(axis=1) >= limit).any())
    return found

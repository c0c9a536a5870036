"""Scoring texts with the bundled network: views, windows, batches, calibrated probabilities.

Covered: any text, of any length, all of it read. Not covered: a verdict (the caller sets the threshold), English
being checked (`is_english` says so, the score is given anyway).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, NamedTuple

from guard.embedded.calibration import Calibration
from guard.embedded.language import is_english
from guard.embedded.tokens import load_tokenizer, token_ids
from guard.embedded.views import clean, views
from guard.embedded.weights import load_network
from guard.embedded.windows import Window, prompt_windows, response_windows
from workbench.core.openmp import release_workers

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from guard.embedded.encoder import GuardNetwork

CATEGORY_CODES = tuple(f"S{number}" for number in range(1, 15))
TOKENS_PER_BATCH = 4096

Item = tuple[str, str | None]
"""A prompt and, when it is the answer that is judged, the answer."""


class ScoringStopped(RuntimeError):
    """The caller no longer wants the scores."""


@dataclass(frozen=True, slots=True)
class EmbeddedScore:
    """What the classifier says of one item, by its most suspicious window."""

    p_unsafe: float  # calibrated, in [0, 1]
    categories: Mapping[str, float]  # S1..S14: P(unsafe and of this kind); they add up to `p_unsafe`
    is_english: bool  # False: the classifier was not trained on this language
    windows: int  # how many windows were read


class _WindowLogits(NamedTuple):
    unsafe: float
    shares: list[float]  # P(category | unsafe), 14 values


@dataclass(frozen=True, slots=True)
class _Place:
    """A window of the item with this number."""

    item: int
    window: Window


class EmbeddedClassifier:
    """The loaded network with its tokenizer and calibration. Scoring is synchronous and safe to call from threads."""

    def __init__(self, network: GuardNetwork, tokenizer: Tokenizer, calibration: Calibration) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self.calibration = calibration

    @classmethod
    def load(cls, folder: Traversable | None = None) -> EmbeddedClassifier:
        """The classifier whose files lie in `folder`, by default the bundled one."""
        folder = folder or resources.files("assets") / "guard"
        calibration = Calibration.from_json((folder / "calibration.json").read_text(encoding="utf-8"))
        tokenizer = load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        with resources.as_file(folder / "weights.safetensors") as path:
            return cls(load_network(path), tokenizer, calibration)

    def score(
        self, items: Sequence[Item], should_stop: Callable[[], bool] = lambda: False
    ) -> list[EmbeddedScore]:
        """One score an item, in their order.

        An item's score does not depend on the others beyond float32 rounding (below 1e-5). The text is read in
        overlapping windows, and again without its disguise where it has one; the highest window counts.

        Args:
            items: prompts, or prompts with the answers to judge.
            should_stop: asked before each batch of windows.

        Raises:
            ScoringStopped: `should_stop` said so.
        """
        places = [
            _Place(number, window) for number, item in enumerate(items) for window in self._windows(item)
        ]
        places.sort(key=lambda place: len(place.window.ids))
        seen: list[list[_WindowLogits]] = [[] for _ in items]
        try:
            for batch in _batches(places):
                if should_stop():
                    raise ScoringStopped
                for place, logits in zip(batch, self._forward([p.window for p in batch]), strict=True):
                    seen[place.item].append(logits)
        finally:
            release_workers()
        return [self._combined(item, logits) for item, logits in zip(items, seen, strict=True)]

    def _windows(self, item: Item) -> list[Window]:
        prompt, response = item
        if response is None:
            readings = token_ids(self._tokenizer, views(prompt))
            return [window for ids in readings for window in prompt_windows(ids)]
        context, *readings = token_ids(self._tokenizer, (clean(prompt), *views(response)))
        return [window for ids in readings for window in response_windows(context, ids)]

    def _forward(self, windows: Sequence[Window]) -> list[_WindowLogits]:
        import torch

        from guard.embedded.encoder import padded

        with torch.inference_mode():
            logits = self._network(*padded(windows))
            unsafe = torch.where(
                torch.tensor([w.judges_response for w in windows]), logits.response, logits.prompt
            )
            shares = torch.softmax(logits.categories, dim=-1)
        return [_WindowLogits(*pair) for pair in zip(unsafe.tolist(), shares.tolist(), strict=True)]

    def _combined(self, item: Item, logits: Sequence[_WindowLogits]) -> EmbeddedScore:
        prompt, response = item
        scale = self.calibration.prompt if response is None else self.calibration.response
        worst = max(logits, key=lambda window: window.unsafe)
        probability = scale.probability(worst.unsafe)
        return EmbeddedScore(
            p_unsafe=probability,
            categories={
                c: probability * share for c, share in zip(CATEGORY_CODES, worst.shares, strict=True)
            },
            is_english=is_english(prompt if response is None else response),
            windows=len(logits),
        )


def _batches(places: Sequence[_Place]) -> Iterator[Sequence[_Place]]:
    """Runs of windows sorted by length whose padded size is at most `TOKENS_PER_BATCH`."""
    start = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or (end + 1 - start) * len(places[end].window.ids) > TOKENS_PER_BATCH:
            yield places[start:end]
            start = end

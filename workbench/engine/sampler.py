"""Vectorised sampling over the rows of a batch, each row with its own parameters and its own randomness.

Order: grammar mask and min_tokens; logit_bias; repetition_penalty (prompt and output); frequency and presence penalty
(output); temperature; top_k; top_p; min_p. Reported logprobs are the float32 log-softmax of the raw logits, before all
of these.

A row's result does not depend on its neighbours: every operation is row-wise, and the random draw of a row is keyed
by (seed, choice, step) (`draws`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from workbench.core.effective import EffectiveParams
from workbench.engine.draws import DrawKey, draw

CANDIDATES = 1024
"""How many of the likeliest tokens top_p looks at before it sorts the whole vocabulary."""


@dataclass(slots=True)
class RowSampling:
    """One choice's sampling state. `counts` [V] holds output token counts, `seen` [V] marks prompt and output."""

    params: EffectiveParams
    choice: int
    eos_ids: tuple[int, ...]
    step: int = 0
    counts: torch.Tensor | None = None
    seen: torch.Tensor | None = None
    bias_ids: tuple[int, ...] = field(init=False)
    bias_values: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.bias_ids = tuple(self.params.logit_bias)
        self.bias_values = tuple(self.params.logit_bias.values())

    def begin(
        self, prompt_ids: Sequence[int], output_ids: Sequence[int], vocabulary: int, device: torch.device
    ) -> None:
        """Prepares the tensors that the row's penalties need; `output_ids` is what a paused row had generated."""
        if self.params.presence_penalty or self.params.frequency_penalty:
            self.counts = torch.zeros(vocabulary, dtype=torch.float32, device=device)
            for token in output_ids:
                self.counts[token] += 1
        if self.params.repetition_penalty != 1.0:
            self.seen = torch.zeros(vocabulary, dtype=torch.bool, device=device)
            self.seen[torch.tensor(sorted({*prompt_ids, *output_ids}), dtype=torch.long, device=device)] = (
                True
            )

    def take(self, token_id: int) -> None:
        """Records the token that was chosen."""
        self.step += 1
        if self.counts is not None:
            self.counts[token_id] += 1
        if self.seen is not None:
            self.seen[token_id] = True


def process(
    raw: torch.Tensor, rows: Sequence[RowSampling], allowed: torch.Tensor | None = None
) -> torch.Tensor:
    """The logits after masks, bias and penalties, before temperature.

    Args:
        raw: float32 logits [B, V]; not changed.
        rows: B rows.
        allowed: bool [B, V], False where a grammar forbids the token; None when no row has a grammar.
    """
    if not _needs_processing(rows) and allowed is None:
        return raw
    logits = raw.clone()
    if allowed is not None:
        logits.masked_fill_(~allowed, float("-inf"))
    _ban_early_end(logits, rows)
    _add_bias(logits, rows)
    _penalise_repetition(logits, rows)
    _penalise_output(logits, rows)
    return logits


def _needs_processing(rows: Sequence[RowSampling]) -> bool:
    return any(
        row.counts is not None or row.seen is not None or row.bias_ids or row.step < row.params.min_tokens
        for row in rows
    )


def _ban_early_end(logits: torch.Tensor, rows: Sequence[RowSampling]) -> None:
    for index, row in enumerate(rows):
        if row.step < row.params.min_tokens and row.eos_ids:
            logits[index, list(row.eos_ids)] = float("-inf")


def _add_bias(logits: torch.Tensor, rows: Sequence[RowSampling]) -> None:
    where = [(index, token) for index, row in enumerate(rows) for token in row.bias_ids]
    if not where:
        return
    places = torch.tensor(where, device=logits.device).T
    values = torch.tensor([value for row in rows for value in row.bias_values], device=logits.device)
    logits.index_put_((places[0], places[1]), values, accumulate=True)


def _penalise_repetition(logits: torch.Tensor, rows: Sequence[RowSampling]) -> None:
    """CTRL's penalty (Keskar et al. 2019, eq. 2 as used in practice): positive logits divided, negative multiplied."""
    picked = [index for index, row in enumerate(rows) if row.seen is not None]
    if not picked:
        return
    seen = torch.stack([row.seen for row in rows if row.seen is not None])
    penalty = _column([rows[index].params.repetition_penalty for index in picked], logits)
    part = logits[picked]
    logits[picked] = torch.where(seen, torch.where(part > 0, part / penalty, part * penalty), part)


def _penalise_output(logits: torch.Tensor, rows: Sequence[RowSampling]) -> None:
    """OpenAI's additive formula: logit - count * frequency_penalty - [count > 0] * presence_penalty."""
    picked = [index for index, row in enumerate(rows) if row.counts is not None]
    if not picked:
        return
    counts = torch.stack([row.counts for row in rows if row.counts is not None])
    frequency = _column([rows[index].params.frequency_penalty for index in picked], logits)
    presence = _column([rows[index].params.presence_penalty for index in picked], logits)
    logits[picked] -= counts * frequency + (counts > 0) * presence


def _column(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=like.device).unsqueeze(1)


def choose(logits: torch.Tensor, rows: Sequence[RowSampling]) -> torch.Tensor:
    """The next token id of each row, int64 [B]: the likeliest one, or a draw from the truncated distribution.

    Args:
        logits: float32 [B, V] from `process`.
        rows: B rows.
    """
    chosen = logits.argmax(dim=-1)
    drawn = [index for index, row in enumerate(rows) if not row.params.is_greedy]
    if drawn:
        part = logits if len(drawn) == len(rows) else logits[drawn]
        chosen[drawn] = _draw(part, [rows[index] for index in drawn])
    return chosen


def _draw(logits: torch.Tensor, rows: Sequence[RowSampling]) -> torch.Tensor:
    scaled = logits / _column([row.params.temperature for row in rows], logits)
    scaled = truncate(scaled, rows)
    keys = [DrawKey.of(row.params.seed, row.choice, row.step) for row in rows]
    return draw(torch.softmax(scaled, dim=-1), keys)


def truncate(scaled: torch.Tensor, rows: Sequence[RowSampling]) -> torch.Tensor:
    """`scaled` with -inf wherever top_k, then top_p, then min_p drop the token; equal logits stand or fall together.

    Args:
        scaled: float32 logits over temperature [B, V].
        rows: B rows.
    """
    size = scaled.shape[-1]
    top_ks = [min(row.params.top_k or size, size) for row in rows]
    has_top_k = any(k < size for k in top_ks)
    has_top_p = any(row.params.top_p < 1.0 for row in rows)
    has_min_p = any(row.params.min_p > 0.0 for row in rows)
    if not (has_top_k or has_top_p or has_min_p):
        return scaled
    threshold = torch.full((len(rows), 1), float("-inf"), device=scaled.device)
    if has_top_k or has_top_p:
        threshold = _rank_threshold(scaled, rows, top_ks)
    if has_min_p:
        fraction = torch.log(_column([row.params.min_p for row in rows], scaled))
        threshold = torch.maximum(threshold, scaled.amax(dim=-1, keepdim=True) + fraction)
    return scaled.masked_fill(scaled < threshold, float("-inf"))


def _rank_threshold(scaled: torch.Tensor, rows: Sequence[RowSampling], top_ks: Sequence[int]) -> torch.Tensor:
    """The smallest logit each row keeps after top_k and top_p, [B, 1]."""
    size = scaled.shape[-1]
    wanted = max((k for k in top_ks if k < size), default=0)
    open_nucleus = any(row.params.top_p < 1.0 and k == size for row, k in zip(rows, top_ks, strict=True))
    width = min(max(wanted, CANDIDATES if open_nucleus else 0), size)
    threshold, is_enough = _threshold_within(scaled, rows, top_ks, width)
    short = [index for index, enough in enumerate(is_enough) if not enough]
    if short:
        flat = [rows[index] for index in short], [top_ks[index] for index in short]
        threshold[short], _ = _threshold_within(scaled[short], *flat, size)
    return threshold


def _threshold_within(
    scaled: torch.Tensor, rows: Sequence[RowSampling], top_ks: Sequence[int], width: int
) -> tuple[torch.Tensor, list[bool]]:
    """The thresholds as seen among the `width` likeliest tokens, and for which rows that was wide enough."""
    size = scaled.shape[-1]
    ranked = scaled.topk(width, dim=-1).values  # [B, width], best first
    lowest = torch.full((len(rows), 1), float("-inf"), device=scaled.device)
    limited = [index for index, k in enumerate(top_ks) if k < size]
    if limited:
        places = torch.tensor([top_ks[index] - 1 for index in limited], device=scaled.device)
        lowest[limited, 0] = ranked[limited, places]
    nucleus = _column([row.params.top_p for row in rows], scaled)
    if all(row.params.top_p >= 1.0 for row in rows):
        return lowest, [True] * len(rows)
    kept = scaled.masked_fill(scaled < lowest, float("-inf"))
    probabilities = torch.exp(ranked - torch.logsumexp(kept, dim=-1, keepdim=True))
    before = probabilities.double().cumsum(dim=-1) - probabilities
    # A token stays while the tokens before it do not reach top_p; the likeliest one always stays.
    last = ((before < nucleus) & (ranked >= lowest)).sum(dim=-1, keepdim=True).clamp_(min=1) - 1
    cutoff = torch.where(nucleus < 1.0, ranked.gather(1, last), lowest)
    if width == size:
        return torch.maximum(cutoff, lowest), [True] * len(rows)
    is_enough = (last < width - 1) | (nucleus >= 1.0) | (ranked[:, -1:] <= lowest)
    return torch.maximum(cutoff, lowest), is_enough[:, 0].tolist()


@dataclass(frozen=True, slots=True)
class RowLogprobs:
    """The chosen token's logprob in nats and the likeliest tokens with theirs, best first."""

    chosen: float
    top_ids: tuple[int, ...] = ()
    top_logprobs: tuple[float, ...] = ()


def report_logprobs(
    raw: torch.Tensor, chosen: Sequence[int], counts: Sequence[int | None]
) -> list[RowLogprobs | None]:
    """Logprobs of the rows that asked (`counts` is not None): float32 log-softmax of the raw logits [B, V]."""
    asked = [index for index, count in enumerate(counts) if count is not None]
    result: list[RowLogprobs | None] = [None] * len(counts)
    if not asked:
        return result
    logits = (raw if len(asked) == len(counts) else raw[asked]).float()
    total = torch.logsumexp(logits, dim=-1, keepdim=True)
    tokens = torch.tensor([[chosen[index]] for index in asked], device=raw.device)
    picked = (logits.gather(1, tokens) - total).squeeze(1).tolist()
    widest = max(counts[index] or 0 for index in asked)
    top = logits.topk(min(widest, logits.shape[-1]), dim=-1) if widest else None
    values = (top.values - total).tolist() if top is not None else [[]] * len(asked)
    ids = top.indices.tolist() if top is not None else [[]] * len(asked)
    for place, index in enumerate(asked):
        count = counts[index] or 0
        result[index] = RowLogprobs(picked[place], tuple(ids[place][:count]), tuple(values[place][:count]))
    return result

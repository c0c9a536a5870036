"""The network: a six-layer BERT encoder (MiniLM-L6) with a prompt head, a response head and a hazard head.

The forward pass is written out because it is short, loads without a modelling library and fuses query, key and value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from guard.embedded.windows import Window

CATEGORY_COUNT = 14  # S1..S14


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """Sizes of the encoder; the defaults are MiniLM-L6's."""

    vocabulary: int = 30522
    positions: int = 512
    width: int = 384
    layers: int = 6
    heads: int = 12
    hidden: int = 1536
    norm_epsilon: float = 1e-12


@dataclass(frozen=True, slots=True)
class GuardLogits:
    """Raw outputs for a batch of n rows."""

    prompt: Tensor  # float32 [n]: unsafe against safe, for rows without an assistant turn
    response: Tensor  # float32 [n]: the same for rows with one
    categories: Tensor  # float32 [n, 14]: which hazard, given that the row is unsafe


class EncoderLayer(nn.Module):
    """One post-norm transformer layer (Devlin et al., 2019)."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.query_key_value = nn.Linear(shape.width, 3 * shape.width)
        self.attention_out = nn.Linear(shape.width, shape.width)
        self.attention_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.expand = nn.Linear(shape.width, shape.hidden)
        self.contract = nn.Linear(shape.hidden, shape.width)
        self.output_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)

    def forward(self, states: Tensor, attend: Tensor | None) -> Tensor:
        """States [n, length, width] to states of the same shape; `attend` is bool [n, 1, 1, length] or None."""
        rows, length, width = states.shape
        packed = self.query_key_value(states).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        drop = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=attend, dropout_p=drop)
        mixed = self.attention_out(mixed.transpose(1, 2).reshape(rows, length, width))
        states = self.attention_norm(states + functional.dropout(mixed, drop))
        grown = self.contract(functional.gelu(self.expand(states)))
        normed: Tensor = self.output_norm(states + functional.dropout(grown, drop))
        return normed


class GuardNetwork(nn.Module):
    """Token ids in, `GuardLogits` out. Each row is pooled by the mean and the maximum over its own tokens."""

    def __init__(self, shape: EncoderShape | None = None, dropout: float = 0.1) -> None:
        super().__init__()
        shape = shape or EncoderShape()
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        self.embedding_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.layers = nn.ModuleList(EncoderLayer(shape, dropout) for _ in range(shape.layers))
        self.prompt_head = nn.Linear(2 * shape.width, 1)
        self.response_head = nn.Linear(2 * shape.width, 1)
        self.category_head = nn.Linear(2 * shape.width, CATEGORY_COUNT)
        self.dropout = dropout

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Token embeddings [n, length, width] for int64 `ids` and `segments` (0 user, 1 assistant) [n, length]."""
        places = torch.arange(ids.shape[1], device=ids.device)
        normed: Tensor = self.embedding_norm(
            self.words(ids) + self.positions(places) + self.segments(segments)
        )
        return normed

    def pool(self, states: Tensor, mask: Tensor) -> Tensor:
        """Mean and maximum over the tokens where `mask` is True: [n, 2 * width]."""
        kept = mask.unsqueeze(-1)
        mean = (states * kept).sum(1) / kept.sum(1)
        peak = states.masked_fill(~kept, float("-inf")).amax(1)
        return torch.cat((mean, peak), dim=-1)

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor, frozen_layers: int = 0) -> GuardLogits:
        """Logits of a padded batch.

        Args:
            ids: int64 [n, length], padded at the end with any valid id.
            segments: int64 [n, length], 0 for the user's tokens, 1 for the assistant's.
            mask: bool [n, length], False where padded; every row has at least one True.
            frozen_layers: the embeddings and this many layers run without gradients (training only).
        """
        attend = None if bool(mask.all()) else mask[:, None, None, :]
        with torch.set_grad_enabled(torch.is_grad_enabled() and frozen_layers == 0):
            states = self.embed(ids, segments)
            for layer in self.layers[:frozen_layers]:
                states = layer(states, attend)
        for layer in self.layers[frozen_layers:]:
            states = layer(states, attend)
        pooled = self.pool(states.float(), mask)
        pooled = functional.dropout(pooled, self.dropout, self.training)
        return GuardLogits(
            self.prompt_head(pooled).squeeze(-1).float(),
            self.response_head(pooled).squeeze(-1).float(),
            self.category_head(pooled).float(),
        )


def padded(windows: Sequence[Window]) -> tuple[Tensor, Tensor, Tensor]:
    """`ids`, `segments` and `mask` [n, longest] of windows padded at the end."""
    length = max(len(window.ids) for window in windows)
    ids = torch.zeros(len(windows), length, dtype=torch.int64)
    segments = torch.zeros_like(ids)
    mask = torch.zeros(len(windows), length, dtype=torch.bool)
    for number, window in enumerate(windows):
        ids[number, : len(window.ids)] = torch.tensor(window.ids)
        segments[number, : len(window.ids)] = torch.tensor(window.segments)
        mask[number, : len(window.ids)] = True
    return ids, segments, mask

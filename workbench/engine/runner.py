"""Forward passes over the slot cache: what the loop asks of a model, with explicit masks and positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from transformers import DynamicCache, PretrainedConfig, PreTrainedModel

from workbench.engine.forward import Forward, Part, PlainForward
from workbench.engine.masks import MaskPlan
from workbench.engine.packing import pack
from workbench.engine.slots import LENGTH_BUCKET, Aim, Prefix, SlotCache, round_up


class Piece(NamedTuple):
    """Tokens of a prompt to be read into a row from position `start` on."""

    row: int
    ids: Sequence[int]
    start: int


class Runner(Protocol):
    """What the loop needs of a model. All calls come from the one thread that owns it."""

    @property
    def vocabulary(self) -> int:
        """Width of the logits."""
        ...

    @property
    def device(self) -> torch.device:
        """Where token ids go in."""
        ...

    @property
    def max_rows(self) -> int:
        """How many sequences may run at once."""
        ...

    def fits(self, rows: int, length: int) -> bool:
        """True when that many rows of that length are within the memory budget."""
        ...

    def longest(self) -> int:
        """The longest sequence that fits the memory budget when it is alone, in tokens."""
        ...

    def reserve(self, rows: int, length: int) -> None:
        """Makes room for them. Raises: Overloaded."""
        ...

    def prefill(self, row: int, ids: Sequence[int], start: int, keep: int) -> torch.Tensor:
        """Reads `ids` into a row from position `start`; float32 logits [keep, V] of the last `keep` positions."""
        ...

    def decode(
        self, ids: Sequence[int], positions: Sequence[int], beside: Piece | None = None
    ) -> torch.Tensor:
        """One token for each of the first len(ids) rows; float32 logits [rows, V]. Reads `beside`, too."""
        ...

    @property
    def can_pack(self) -> bool:
        """True when `score` may be called."""
        ...

    def score(
        self, prompts: Sequence[Sequence[int]], starts: Sequence[int], scopes: Sequence[str]
    ) -> torch.Tensor:
        """Float32 logits after each prompt's positions from its start on, but the last: [sum of counts, V].

        Prompts of one scope that begin alike are read once as far as they do.
        """
        ...

    def move(self, source: int, target: int, length: int) -> None:
        """Copies a row."""
        ...

    def save(self, row: int, length: int) -> Prefix | None:
        """A copy of a row's beginning for reuse; None when this model's state cannot be copied."""
        ...

    def restore(self, prefix: Prefix, row: int, length: int) -> None:
        """Puts a saved beginning into a row."""
        ...

    def idle(self) -> None:
        """Nothing runs: memory may be given back."""
        ...


def text_config(model: PreTrainedModel) -> PretrainedConfig:
    """The config of the language part of the model."""
    return model.config.get_text_config(decoder=True)


def bytes_per_token(model: PreTrainedModel) -> int:
    """Keys and values of one token over all layers, as the config promises; measured again once layers exist."""
    config = text_config(model)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * head_dim * model.dtype.itemsize)


class SlotRunner:
    """Many sequences at once in a SlotCache. `can_pack`: short prompts may be scored in one pass, without the cache."""

    def __init__(
        self,
        model: PreTrainedModel,
        plan: MaskPlan,
        *,
        budget_bytes: int,
        max_rows: int,
        forward: Forward | None = None,
    ) -> None:
        self._model = model
        self._plan = plan
        self.forward = forward or PlainForward(model)
        self.can_pack = True
        self.device = model.get_input_embeddings().weight.device
        self.max_rows = max_rows
        self.cache = SlotCache(
            text_config(model).num_hidden_layers,
            budget_bytes=budget_bytes,
            bytes_per_token=bytes_per_token(model),
            max_slots=max_rows,
            is_roomy=self.device.type == "cpu",
        )

    @property
    def vocabulary(self) -> int:
        """Width of the logits."""
        return int(text_config(self._model).vocab_size)

    def fits(self, rows: int, length: int) -> bool:
        """True when that many rows of that length are within the memory budget."""
        return self.cache.fits(rows, length)

    def longest(self) -> int:
        """The longest sequence that fits the memory budget when it is alone, in tokens."""
        return self.cache.longest_single()

    def reserve(self, rows: int, length: int) -> None:
        """Makes room for them. Raises: Overloaded."""
        self.cache.reserve(rows, length)

    def prefill(self, row: int, ids: Sequence[int], start: int, keep: int) -> torch.Tensor:
        """Reads `ids` into a row from position `start`; float32 logits [keep, V] of the last `keep` positions."""
        return self.forward(self._reading(Piece(row, ids, start)), keep, self.cache)[0].float()

    def _reading(self, piece: Piece) -> Part:
        row, ids, start = piece
        length = start + len(ids)
        positions = torch.arange(start, length, device=self.device).unsqueeze(0)
        aim = Aim(row, 1, positions, length, start)
        tokens = torch.tensor([ids], device=self.device)
        return Part(tokens, positions, self._plan.masks(positions, length), aim)

    def decode(
        self, ids: Sequence[int], positions: Sequence[int], beside: Piece | None = None
    ) -> torch.Tensor:
        """One token for each of the first len(ids) rows; float32 logits [rows, V]. Reads `beside`, too."""
        at = torch.tensor(positions, device=self.device).unsqueeze(1)
        length = min(round_up(max(positions) + 1, LENGTH_BUCKET), self.cache.length)
        start = positions[0] if len(ids) == 1 else None
        tokens = torch.tensor(ids, device=self.device).unsqueeze(1)
        part = Part(tokens, at, self._plan.masks(at, length), Aim(0, len(ids), at, length, start))
        reading = None if beside is None else self._reading(beside)
        return self.forward(part, 1, self.cache, reading)[:, -1].float()

    def score(
        self, prompts: Sequence[Sequence[int]], starts: Sequence[int], scopes: Sequence[str]
    ) -> torch.Tensor:
        """Float32 logits after each prompt's positions from its start on, but the last: [sum of counts, V].

        Prompts of one scope that begin alike are read once as far as they do.
        """
        packed = pack(prompts, starts, scopes, self.device)
        masks = self._plan.packed(packed.positions, packed.sees)
        part = Part(packed.ids.unsqueeze(0), packed.positions.unsqueeze(0), masks, None)
        logits = self.forward(part, packed.kept, self.cache)[0].float()
        is_in_order = torch.equal(packed.order, torch.arange(len(packed.kept), device=self.device))
        return logits if is_in_order else logits[packed.order]

    def move(self, source: int, target: int, length: int) -> None:
        """Copies a row."""
        self.cache.move(source, target, length)

    def save(self, row: int, length: int) -> Prefix | None:
        """A copy of a row's beginning."""
        return self.cache.save(row, length)

    def restore(self, prefix: Prefix, row: int, length: int) -> None:
        """Puts a saved beginning into a row."""
        self.cache.restore(prefix, row, length)

    def idle(self) -> None:
        """Gives back storage that has grown beyond one small row."""
        self.cache.shrink()


class SerialRunner:
    """One sequence at a time on transformers' own cache: for layers a slot cannot hold. Not batched."""

    max_rows = 1
    can_pack = False

    def __init__(self, model: PreTrainedModel, *, budget_bytes: int) -> None:
        self._model = model
        self._budget_tokens = budget_bytes // max(1, bytes_per_token(model))
        self._cache: Any = None
        self.device = model.get_input_embeddings().weight.device

    @property
    def vocabulary(self) -> int:
        """Width of the logits."""
        return int(text_config(self._model).vocab_size)

    def fits(self, rows: int, length: int) -> bool:
        """True when the one row of that length is within the memory budget."""
        return rows <= 1 and length <= self._budget_tokens

    def longest(self) -> int:
        """The longest sequence that fits the memory budget, in tokens."""
        return self._budget_tokens

    def reserve(self, rows: int, length: int) -> None:
        """Nothing to do: transformers' cache grows by itself."""

    def prefill(self, row: int, ids: Sequence[int], start: int, keep: int) -> torch.Tensor:
        """Reads `ids` after what the cache holds; float32 logits [keep, V] of the last `keep` positions."""
        if start == 0:
            self._cache = DynamicCache(config=self._model.config)
        output = self._model(
            input_ids=torch.tensor([ids], device=self.device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        )
        logits: torch.Tensor = output.logits[0].float()
        return logits

    def decode(
        self, ids: Sequence[int], positions: Sequence[int], beside: Piece | None = None
    ) -> torch.Tensor:
        """The next token of the one sequence; float32 logits [1, V]. Nobody else is read beside it."""
        return self.prefill(0, ids, positions[0], 1)

    def score(
        self, prompts: Sequence[Sequence[int]], starts: Sequence[int], scopes: Sequence[str]
    ) -> torch.Tensor:
        """Never called: prompts cannot stand in one row.

        Raises: NotImplementedError.
        """
        raise NotImplementedError("this model's layers see past the beginning of a prompt")

    def move(self, source: int, target: int, length: int) -> None:
        """There is one row only."""

    def save(self, row: int, length: int) -> Prefix | None:
        """None: the state is not a list of tokens."""
        return None

    def restore(self, prefix: Prefix, row: int, length: int) -> None:
        """Never called: nothing is saved."""

    def idle(self) -> None:
        """Drops the last sequence's cache."""
        self._cache = None

"""SlotCache: a transformers cache whose layers hold [slots, heads, length, head_dim], a slot for each sequence.

Active rows are contiguous from 0, so what a decode step attends to is a view, never a gather. Which rows and positions
a forward pass writes is set beforehand with `aim`. Storage grows by doubling, up to a budget in bytes.
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from workbench.core.errors import Overloaded

LENGTH_BUCKET = 64
"""Lengths of views and storage are multiples of this many tokens."""
ROOMY_LENGTH = 2048
"""Tokens a row has room for from the beginning where room that is not used costs nothing."""
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


def round_up(value: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is not below `value`."""
    return -(-value // multiple) * multiple


@dataclass(slots=True)
class Aim:
    """Where the next forward pass writes: rows [first, first + count), each at its own `positions` [count, q].

    `length` is how many positions of those rows the pass attends to.
    """

    first: int
    count: int
    positions: torch.Tensor
    length: int
    start: int | None = None  # of a single row's consecutive positions: lets the write be a plain slice


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers is untyped
    """One layer's keys and values; allocated from the device, dtype and shape of its first keys."""

    is_sliding = False

    def __init__(self, cache: SlotCache) -> None:
        super().__init__()
        self._cache = cache
        self._used_rows = self._used_length = 0  # what was ever written lies within
        self.keys: torch.Tensor
        self.values: torch.Tensor

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocates storage for the cache's present capacity."""
        slots, length = self._cache.slots, self._cache.length
        self.keys = _zeros(key_states, (slots, key_states.shape[1], length, key_states.shape[3]))
        self.values = _zeros(value_states, (slots, value_states.shape[1], length, value_states.shape[3]))
        self.is_initialized = True
        self._cache.measure()

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes the new states [rows, heads, q, head_dim] where the cache aims; returns views of what is attended."""
        return self.put(key_states, value_states, self._cache.aimed)

    def put(
        self, key_states: torch.Tensor, value_states: torch.Tensor, aim: Aim
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same where `aim` says."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self._uses(aim.first + aim.count, aim.length)
        rows = slice(aim.first, aim.first + aim.count)
        keys, values = self.keys[rows, :, : aim.length], self.values[rows, :, : aim.length]
        if aim.start is not None:
            end = aim.start + key_states.shape[2]
            keys[:, :, aim.start : end] = key_states
            values[:, :, aim.start : end] = value_states
        else:
            where = aim.positions[:, None, :, None].to(keys.device)
            keys.scatter_(2, where.expand(key_states.shape), key_states)
            values.scatter_(2, where.expand(value_states.shape), value_states)
        return keys, values

    def restore(self, state: LayerState, row: int, length: int) -> None:
        """Puts the first `length` tokens of saved states into a row."""
        if not self.is_initialized:
            self.lazy_initialization(state.keys.unsqueeze(0), state.values.unsqueeze(0))
        self._uses(row + 1, length)
        self.keys[row, :, :length] = state.keys[:, :length]
        self.values[row, :, :length] = state.values[:, :length]

    def resize(self, slots: int, length: int) -> None:
        """Moves what was written into storage of another capacity."""
        if not self.is_initialized:
            return
        self.keys = self._resized(self.keys, slots, length)
        self.values = self._resized(self.values, slots, length)

    def _resized(self, old: torch.Tensor, slots: int, length: int) -> torch.Tensor:
        new = _zeros(old, (slots, old.shape[1], length, old.shape[3]))
        rows, columns = min(slots, self._used_rows), min(length, self._used_length)
        new[:rows, :, :columns] = old[:rows, :, :columns]
        return new

    def drop(self) -> None:
        """Gives the memory back."""
        del self.keys, self.values
        self._used_rows = self._used_length = 0
        self.is_initialized = False

    def _uses(self, rows: int, length: int) -> None:
        self._used_rows, self._used_length = max(rows, self._used_rows), max(length, self._used_length)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of what is attended; masks are given explicitly, so transformers rarely asks."""
        return self._cache.aimed.length, 0

    def get_seq_length(self) -> int:
        """Position of the first token of the pass; positions are given explicitly as well."""
        return int(self._cache.aimed.start or 0)

    def get_max_length(self) -> int:
        """No fixed maximum: storage grows."""
        return -1


def _zeros(like: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Zeros of the dtype and on the device of `like`.

    In main memory the system brings each page when it is first written: no step waits until all of it is zero, and
    room that is never used takes no memory.
    """
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    pages = mmap.mmap(-1, math.prod(shape) * like.itemsize, **_PRIVATE)
    return torch.frombuffer(pages, dtype=like.dtype).view(shape)


class LayerState(NamedTuple):
    """One layer's keys and values of one row, [heads, length, head_dim]; `layer` is its number."""

    layer: int
    keys: torch.Tensor
    values: torch.Tensor


@dataclass(frozen=True, slots=True)
class Prefix:
    """The keys and values of one row's first `length` tokens, outside the cache."""

    layers: tuple[LayerState, ...]
    length: int

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(state.keys.nbytes + state.values.nbytes for state in self.layers)


class SlotCache(Cache):  # type: ignore[misc]  # transformers is untyped
    """Keys and values of all sequences of one model.

    `bytes_per_token` is measured from the layers once they exist; before, it is the given estimate. `is_roomy`: room
    that is not used costs nothing, as in main memory, so that much is taken at once and contents are seldom copied.
    """

    def __init__(
        self,
        layers: int,
        *,
        budget_bytes: int,
        bytes_per_token: int,
        max_slots: int,
        is_roomy: bool = False,
    ) -> None:
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])
        self.slots = 1
        self.length = LENGTH_BUCKET
        self.budget_bytes = budget_bytes
        self.bytes_per_token = bytes_per_token
        self.max_slots = max_slots
        self.is_roomy = is_roomy
        self.aimed = Aim(0, 0, torch.zeros((0, 0), dtype=torch.long), 0)

    def measure(self) -> None:
        """Takes `bytes_per_token` from the layers that exist, if all do."""
        if all(layer.is_initialized for layer in self.layers):
            self.bytes_per_token = max(1, self.nbytes // (self.slots * self.length))

    def aim(self, aim: Aim) -> None:
        """Says where the next forward pass writes and what it attends to."""
        self.aimed = aim

    def fits(self, slots: int, length: int) -> bool:
        """True when `slots` rows of `length` tokens are within the budget."""
        length = round_up(length, LENGTH_BUCKET)
        return slots <= self.max_slots and slots * length * self.bytes_per_token <= self.budget_bytes

    def longest_single(self) -> int:
        """The longest sequence that fits when it is alone, in tokens."""
        return self.budget_bytes // self.bytes_per_token // LENGTH_BUCKET * LENGTH_BUCKET

    def reserve(self, slots: int, length: int) -> None:
        """Makes room for `slots` rows of `length` tokens, and for more than that so that copies are rare.

        Raises: Overloaded when that is over the budget.
        """
        if slots <= self.slots and length <= self.length:
            return
        if not self.fits(slots, length):
            raise Overloaded("The key-value cache is full.", retry_after_seconds=5)
        length = round_up(length, LENGTH_BUCKET)
        longer = max(length, 2 * self.length) if length > self.length else self.length
        if self.is_roomy:
            wider, longer = self.max_slots, max(longer, ROOMY_LENGTH)
        else:
            wider = min(max(slots, 2 * self.slots), self.max_slots) if slots > self.slots else self.slots
        # Rather more than is needed; else keep what is there; else take just what is needed.
        for rows in (wider, max(slots, self.slots), slots):
            for columns in (longer, max(length, self.length), length):
                if self.fits(rows, columns):
                    self._resize(rows, columns)
                    return

    def _resize(self, slots: int, length: int) -> None:
        for layer in self.layers:
            layer.resize(slots, length)
        self.slots, self.length = slots, length

    def shrink(self) -> None:
        """Gives the memory back; only when no row is in use."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.drop()
        self.slots, self.length = 1, LENGTH_BUCKET

    def move(self, source: int, target: int, length: int) -> None:
        """Copies the first `length` tokens of one row over another."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.keys[target, :, :length] = layer.keys[source, :, :length]
                layer.values[target, :, :length] = layer.values[source, :, :length]

    def save(self, row: int, length: int) -> Prefix:
        """A copy of a row's first `length` tokens."""
        states = (
            LayerState(index, layer.keys[row, :, :length].clone(), layer.values[row, :, :length].clone())
            for index, layer in enumerate(self.layers)
            if layer.is_initialized
        )
        return Prefix(tuple(states), length)

    def restore(self, prefix: Prefix, row: int, length: int) -> None:
        """Puts the first `length` tokens of a saved prefix into a row."""
        for state in prefix.layers:
            self.layers[state.layer].restore(state, row, length)

    @property
    def nbytes(self) -> int:
        """Memory held by the storage, in bytes."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers if layer.is_initialized)

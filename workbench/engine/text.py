"""From token ids to text as it grows: incremental detokenizing and stop strings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from tokenizers.decoders import DecodeStream


class TextTokenizer(Protocol):
    """What this module needs of a transformers fast tokenizer."""

    @property
    def backend_tokenizer(self) -> object:
        """The tokenizers.Tokenizer inside."""
        ...

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """The text of these ids."""
        ...


class Detokenizer:
    """Gives the text that each further token completes; all pieces joined are the text of all ids.

    A token that ends inside a character gives "" until the character is whole; `flush` gives what is left at the end.
    Sentencepiece's byte tokens are an exception when they spell no valid text: decoded as a whole, all bytes of such a
    run become U+FFFD, also those that had been given out.
    Special tokens have no text, but for those in `visible_ids`, which show their name.
    """

    def __init__(self, tokenizer: TextTokenizer, visible_ids: frozenset[int] = frozenset()) -> None:
        self._tokenizer = tokenizer
        self._visible_ids = visible_ids
        self._begin()

    def _begin(self) -> None:
        self._stream = DecodeStream(skip_special_tokens=True)
        self._ids: list[int] = []
        self._given = 0

    def push(self, token_id: int) -> str:
        """The text this token completes, often the token's own, sometimes none."""
        if token_id in self._visible_ids:
            rest = self.flush()
            self._begin()
            return rest + self._tokenizer.decode([token_id], skip_special_tokens=False)
        self._ids.append(token_id)
        text = self._stream.step(self._tokenizer.backend_tokenizer, token_id) or ""  # type: ignore[arg-type]
        self._given += len(text)
        return text

    def flush(self) -> str:
        """What the whole text has beyond the pieces given: the replacement characters of a torn last character."""
        whole = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        rest = whole[self._given :]
        self._given = len(whole)
        return rest


class StopScanner:
    """Releases text that can no longer become part of a stop string, and says when one is complete."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""

    @property
    def held(self) -> str:
        """Text kept back because a stop string may have begun in it."""
        return self._held

    def push(self, text: str) -> tuple[str, bool]:
        """The text that is safe to show, and whether a stop string was found (then nothing after it is shown).

        The earliest stop string in the text wins.
        """
        if not self._stops:
            return text, False
        buffer = self._held + text
        found = [place for stop in self._stops if (place := buffer.find(stop)) >= 0]
        if found:
            self._held = ""
            return buffer[: min(found)], True
        keep = max((_overlap(buffer, stop) for stop in self._stops), default=0)
        self._held = buffer[len(buffer) - keep :]
        return buffer[: len(buffer) - keep], False

    def flush(self) -> str:
        """The text kept back, when no more will come."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a proper beginning of `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class TokenBytes:
    """The bytes each token id stands for: what OpenAI's `logprobs[].bytes` reports.

    Byte-level vocabularies (GPT-2's alphabet) and sentencepiece ones (`▁`, `<0x0A>`) are read exactly.
    """

    def __init__(self, tokens: Sequence[str | None], special_ids: Iterable[int]) -> None:
        self._tokens = tokens
        self._special = frozenset(special_ids)
        # Every byte-level vocabulary spells the single bytes; a few may have been trimmed away.
        self._is_byte_level = len(_BYTE_OF.keys() & set(tokens)) > len(_BYTE_OF) * 3 // 4

    def of(self, token_id: int) -> bytes:
        """The token's bytes; a special token's are its name."""
        token = self._tokens[token_id] if 0 <= token_id < len(self._tokens) else None
        if token is None:
            return b""
        if token_id in self._special:
            return token.encode()
        if self._is_byte_level and all(character in _BYTE_OF for character in token):
            return bytes(_BYTE_OF[character] for character in token)
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes([int(token[3:5], 16)])
        return token.replace("▁", " ").encode()

    def text(self, token_id: int) -> str:
        """The token's bytes as text; bytes that are no whole character become U+FFFD."""
        return self.of(token_id).decode("utf-8", errors="replace")


def _byte_level_alphabet() -> dict[str, int]:
    """GPT-2's reversible map from printable characters to bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    return alphabet | {chr(256 + offset): byte for offset, byte in enumerate(others)}


_BYTE_OF = _byte_level_alphabet()

"""JSON schemas as token masks, through llguidance: whatever the model, the output is valid.

Enforced keywords are ENFORCED; ANNOTATIONS change nothing by the standard's own word. Any other keyword is refused by
name, as llguidance would leave it out of the grammar. No free white space: small models loop on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from llguidance.hf import from_tokenizer

from workbench.core.errors import InvalidRequest, UnsupportedParameter

MAX_SCHEMA_BYTES = 64 * 1024

ENFORCED = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "const", "definitions", "enum",
        "exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maxProperties", "maximum",
        "minItems", "minLength", "minProperties", "minimum", "multipleOf", "oneOf", "pattern", "patternProperties",
        "prefixItems", "properties", "required", "type",
    }
)  # fmt: skip
ANNOTATIONS = frozenset(
    {
        "$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title",
        "writeOnly",
    }
)  # fmt: skip
_NAMED_SUBSCHEMAS = frozenset({"$defs", "definitions", "properties", "patternProperties"})
_LISTED_SUBSCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLE_SUBSCHEMAS = frozenset({"additionalProperties", "items"})


class JsonMatcher:
    """A grammar's state along one choice."""

    def __init__(self, matcher: LLMatcher, words: int) -> None:
        self._matcher = matcher
        self._bits = np.zeros(words, dtype=np.int32)

    def fill(self, allowed: torch.Tensor) -> None:
        """Writes which tokens may come next into a bool tensor [V]; ids beyond the tokenizer's are never allowed."""
        self._matcher.unsafe_compute_mask_ptr(self._bits.ctypes.data, self._bits.nbytes)
        bits = np.unpackbits(self._bits.view(np.uint8), bitorder="little")
        size = min(len(bits), allowed.shape[0])
        allowed[:size] = torch.from_numpy(bits[:size]).bool()
        allowed[size:] = False

    def take(self, token_id: int) -> None:
        """Follows the token that was chosen. Raises: InvalidRequest when the grammar has become too costly."""
        if not self._matcher.consume_token(token_id):
            raise InvalidRequest(
                "The JSON schema is too costly to enforce. Simplify it.", param="response_format"
            )

    @property
    def is_complete(self) -> bool:
        """True when nothing but the end may follow."""
        return bool(self._matcher.is_stopped())


@dataclass(frozen=True, slots=True)
class Grammar:
    """A compiled grammar; each choice gets its own matcher."""

    compiled: LLMatcher
    words: int

    def matcher(self) -> JsonMatcher:
        """A fresh state at the grammar's start."""
        return JsonMatcher(self.compiled.deep_copy(), self.words)


class GrammarCompiler:
    """Compiles grammars for one tokenizer. Blocking: call it off the event loop."""

    def __init__(self, tokenizer: Any, vocabulary: int, eos_ids: frozenset[int]) -> None:
        self._hf_tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._eos_ids = sorted(eos_ids)
        self._tokenizer: LLTokenizer | None = None
        self._lock = Lock()

    def _ready(self) -> LLTokenizer:
        """The vocabulary as llguidance wants it; half a second the first time."""
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = from_tokenizer(
                    self._hf_tokenizer, n_vocab=self._vocabulary, eos_token=self._eos_ids
                )
            return self._tokenizer

    def json(self, schema: Mapping[str, Any] | None, param: str) -> Grammar:
        """The grammar of this schema; None is any JSON object.

        Raises: UnsupportedParameter for a keyword that cannot be enforced, InvalidRequest for a schema that is wrong
        or too costly; both name `param`.
        """
        wanted = {"type": "object"} if schema is None else dict(schema)
        refuse_unenforced(wanted, param)
        text = json.dumps(wanted)
        if len(text) > MAX_SCHEMA_BYTES:
            raise InvalidRequest(
                f"The JSON schema is over {MAX_SCHEMA_BYTES // 1024} KiB. Shorten it.", param=param
            )
        options = {"whitespace_flexible": False}
        source = LLMatcher.grammar_from_json_schema(text, overrides=options)
        limits = LLParserLimits(verbose_errors=False)
        matcher = LLMatcher(self._ready(), source, log_level=0, limits=limits)
        if matcher.is_error():
            raise UnsupportedParameter(
                f"The JSON schema cannot be enforced: {_reason(matcher.get_error())}.", param=param
            )
        return Grammar(matcher, -(-self._vocabulary // 32))


def refuse_unenforced(schema: Any, param: str) -> None:
    """Raises: UnsupportedParameter naming the first keyword that is neither enforced nor an annotation."""
    for keyword in _keywords(schema):
        if keyword not in ENFORCED and keyword not in ANNOTATIONS:
            raise UnsupportedParameter(
                f"The JSON-schema keyword {keyword!r} cannot be enforced. Leave it out, or check it yourself.",
                param=param,
            )


def _keywords(schema: Any) -> Iterator[str]:
    """Every keyword of a schema and its subschemas; names of properties are not keywords."""
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        yield keyword
        if keyword in _NAMED_SUBSCHEMAS and isinstance(value, Mapping):
            for part in value.values():
                yield from _keywords(part)
        elif keyword in _LISTED_SUBSCHEMAS and isinstance(value, list):
            for part in value:
                yield from _keywords(part)
        elif keyword in _SINGLE_SUBSCHEMAS:
            yield from _keywords(value)


def _reason(error: str) -> str:
    """The error's own words without the grammar they may quote after the first line."""
    return error.splitlines()[0][:200].rstrip(".") if error else "unknown reason"

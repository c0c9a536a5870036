"""Every literal is read back by its own language as the value it was made of."""

from __future__ import annotations

import ast
import json
import math
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from snippets.examples import HOSTILE_TEXT
from snippets.literals import (
    LINE_WIDTH,
    MAX_SAFE_INTEGER,
    Name,
    heredoc,
    javascript_literal,
    json_literal,
    python_literal,
    shell_word,
)
from tests.snippets.programs import node

HOSTILE_CHARACTERS = (
    "\"'`$\\{}%!#\n\r\t\0\x07\x1b\x7f\x85\xa0\u200d\u2028\u2029\u202e\u3000\ufeff🙂\U000e0041é"
)
TEXTS = st.text() | st.text(alphabet=HOSTILE_CHARACTERS, max_size=60) | st.just(HOSTILE_TEXT)
ANY_TEXTS = TEXTS | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf"]))
"""Lone surrogates included, which JSON cannot tell from the halves of a pair."""
KEYS = TEXTS | st.sampled_from(
    ["__proto__", "constructor", "class", "0", "10", "1e3", "valid_name", "", "a-b"]
)


def values(texts: st.SearchStrategy[str], largest: int) -> st.SearchStrategy[Any]:
    """JSON values whose integers are at most `largest` in size."""
    numbers = st.integers(-largest, largest) | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=6),
        max_leaves=20,
    )


batched = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
"""Few examples of many values each: every example starts a process, so a failing one is not shrunk."""


def same(read: Any, value: Any) -> bool:
    """True when JavaScript gave the value back: it writes large floats with digits that a float does not hold."""
    if isinstance(value, dict):
        return read.keys() == value.keys() and all(same(read[key], item) for key, item in value.items())
    if isinstance(value, list):
        return len(read) == len(value) and all(map(same, read, value))
    if isinstance(value, float):
        return float(read) == value
    return type(read) is type(value) and bool(read == value)


def in_node(program: str, data: str) -> Any:
    """What a Node program prints as JSON, with `data` on its standard input."""
    done = subprocess.run([node(), "-e", program], input=data.encode(), capture_output=True, check=True)
    return json.loads(done.stdout)


EVALUATE = (
    'const sources = JSON.parse(require("node:fs").readFileSync(0, "utf8"));'
    "console.log(JSON.stringify(sources.map((source) => (0, eval)(`(${source})`))));"
)


@given(values(ANY_TEXTS, 2**80), st.integers(0, 40), st.integers(0, 80))
def test_python_reads_back_the_value(value: Any, indent: int, before: int) -> None:
    read = ast.literal_eval(python_literal(value, indent, before))
    assert repr(read) == repr(value)


@given(values(TEXTS, 2**80), st.integers(0, 40), st.integers(0, 80))
def test_json_reads_back_the_value(value: Any, indent: int, before: int) -> None:
    assert repr(json.loads(json_literal(value, indent, before))) == repr(value)


@batched
@given(st.lists(values(TEXTS, MAX_SAFE_INTEGER), min_size=20, max_size=60))
@example(
    [{"__proto__": {"a": 1}}, HOSTILE_TEXT, {"text": HOSTILE_TEXT}, -0.0, 1e22, 5e-324, MAX_SAFE_INTEGER]
)
def test_javascript_reads_back_the_value(batch: list[Any]) -> None:
    sources = [javascript_literal(value, before=60) for value in batch]
    assert same(in_node(EVALUATE, json.dumps(sources)), batch)


def test_javascript_sends_integers_it_cannot_hold() -> None:
    if in_node("console.log(typeof JSON.rawJSON === 'function')", "") is False:
        pytest.skip("this Node is older than JSON.rawJSON")
    batch = [{"seed": 2**63 - 1}, {"seed": -(2**63)}, {"seed": MAX_SAFE_INTEGER + 1}]
    assert in_node(EVALUATE, json.dumps([javascript_literal(value) for value in batch])) == batch


@batched
@given(st.lists(TEXTS.map(lambda text: text.replace("\0", "")), min_size=20, max_size=60))
@example([HOSTILE_TEXT, "", "-n", "*", "~", "a b", "'", "EOF"])
def test_a_shell_passes_the_word_on(words: list[str]) -> None:
    script = "printf '%s\\0' " + " ".join(map(shell_word, words))
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words


def test_a_shell_word_refuses_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        shell_word("a\0b")


@batched
@given(TEXTS.map(lambda text: text.replace("\0", "")))
@example(HOSTILE_TEXT)
@example("EOF\nEOF_\n")
def test_a_here_document_passes_the_text_on(text: str) -> None:
    script = f"cat {heredoc(text)}\nprintf end"
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == f"{text}\nend"


@given(values(ANY_TEXTS, 2**80))
def test_no_character_hides_or_reorders_the_source(value: Any) -> None:
    for source in (python_literal(value), javascript_literal(value), json_literal(value)):
        hidden = {char for char in source if not char.isprintable()} - set("\n\u200c\u200d\u3000")
        assert hidden == set()


@given(
    st.lists(st.integers(0, 10**6), max_size=300) | st.dictionaries(st.text("ab", max_size=8), st.booleans())
)
def test_long_values_break_before_the_margin(value: Any) -> None:
    for source in (python_literal(value), javascript_literal(value), json_literal(value)):
        assert max(map(len, source.split("\n"))) <= LINE_WIDTH


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_lacks_are_refused(number: float) -> None:
    for literal in (python_literal, javascript_literal, json_literal):
        with pytest.raises(ValueError, match="infinity or NaN"):
            literal(number)


def test_half_a_pair_is_written_as_its_escape() -> None:
    assert (
        python_literal("a\ud83d") == javascript_literal("a\ud83d") == json_literal("a\ud83d") == '"a\\ud83d"'
    )


def test_a_name_stands_for_itself() -> None:
    assert python_literal({"messages": Name("messages")}) == '{"messages": messages}'
    assert javascript_literal({"messages": Name("messages")}) == "{ messages }"
    assert javascript_literal({"input": Name("texts")}) == "{ input: texts }"


def test_a_text_that_spells_its_key_is_no_shorthand() -> None:
    assert javascript_literal({"null": None, '"a"': "a"}) == '{ null: null, \'"a"\': "a" }'

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Sample
from evaluators.data import (
    ColumnMapping,
    frame_table,
    paste_evaluation_set,
    read_evaluation_set,
    sample_from_row,
    sample_to_row,
    samples_from_table,
    samples_to_frame,
    suggest_mapping,
)
from workbench.core.chat import Message, Role
from workbench.core.errors import InvalidRequest


def jsonl(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def one(**row: object) -> Sample:
    (sample,) = read_evaluation_set(jsonl(row), "s.jsonl").samples
    return sample


def reason(**row: object) -> str:
    (bad,) = read_evaluation_set(jsonl(row), "s.jsonl").bad_rows
    return bad.reason


def test_a_row_in_the_contracts_columns() -> None:
    sample = one(
        id="q1", prompt="2+2?", expected="4", choices=["3", "4"], tags=["maths"], metadata={"level": 1}
    )
    assert sample == Sample("q1", "2+2?", (), ("4",), ("3", "4"), ("maths",), {"level": 1})
    assert sample.correct_choice == 1


def test_messages_become_core_messages() -> None:
    sample = one(messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}])
    assert sample.messages == (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hi"))
    assert sample.id == "line-1"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prompt": ""}, "neither a prompt nor messages"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, "both"),
        ({"prompt": ["a"]}, "not text"),
        ({"prompt": "a", "choices": ["x"]}, "two different choices"),
        ({"prompt": "a", "choices": ["x", "x"]}, "two different choices"),
        ({"prompt": "a", "choices": ["x", "y"], "expected": "z"}, "none of its choices"),
        ({"prompt": "a", "choices": ["x", "y"], "expected": []}, "none of its choices"),
        ({"prompt": "a", "choices": 3}, "not a list"),
        ({"prompt": "a", "choices": [[1], [2]]}, "neither text nor a number"),
        ({"prompt": "a", "metadata": 3}, "not an object"),
        ({"messages": []}, "not a list"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": [1]}]}, "content"),
        ({"messages": ["x"]}, "role"),
        ({"prompt": "a", "id": {}}, "id"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(row: dict[str, object], why: str) -> None:
    assert why in reason(**row)


def test_good_rows_are_kept_beside_bad_ones() -> None:
    data = jsonl(
        {"prompt": "one"}, {"prompt": ""}, {"prompt": "two", "id": "x"}, {"prompt": "three", "id": "x"}
    )
    loaded = read_evaluation_set(data + b"\nbroken\n", "s.jsonl")
    assert [sample.prompt for sample in loaded.samples] == ["one", "two"]
    assert [(bad.line, bad.reason) for bad in loaded.bad_rows] == [
        (2, "has neither a prompt nor messages"),
        (4, "repeats the id of line 3"),
        (5, "is not JSON"),
    ]


@pytest.mark.parametrize(
    ("expected", "choice"),
    [("beta", "beta"), ("B", "beta"), ("b.", "beta"), ("(A"[1:], "alpha"), ("C)", "gamma")],
)
def test_the_right_choice_may_be_named_by_its_letter(expected: str, choice: str) -> None:
    assert one(prompt="?", choices=["alpha", "beta", "gamma"], expected=expected).expected == (choice,)


def test_a_choice_that_is_a_letter_means_itself() -> None:
    assert one(prompt="?", choices=["B", "A"], expected="A").correct_choice == 1


@pytest.mark.parametrize(
    ("expected", "stored"),
    [
        ("4", ("4",)),
        (4, ("4",)),
        (0, ("0",)),
        (["a", "b"], ("a", "b")),
        (True, ("true",)),
        ({"k": 1}, ('{"k": 1}',)),
    ],
)
def test_expected_answers_of_every_type(expected: object, stored: tuple[str, ...]) -> None:
    assert one(prompt="?", expected=expected).expected == stored


def test_lists_in_csv_are_json_or_parted_by_bars() -> None:
    data = b'prompt,choices,tags,expected\n?,red|green,x|y,green\n?,"[""a|b"", ""c""]",,"[""c""]"\n'
    first, second = read_evaluation_set(data, "s.csv").samples
    assert (first.choices, first.tags, first.expected) == (("red", "green"), ("x", "y"), ("green",))
    assert (second.choices, second.tags, second.expected) == (("a|b", "c"), (), ("c",))


def test_columns_without_a_meaning_become_metadata() -> None:
    (sample,) = read_evaluation_set(b"question,answer,source,empty\nq,a,book,\n", "s.csv").samples
    assert (sample.prompt, sample.expected, sample.metadata) == ("q", ("a",), {"source": "book"})


@pytest.mark.parametrize(
    ("columns", "mapping"),
    [
        (("id", "prompt", "expected"), ColumnMapping(id="id", prompt="prompt", expected="expected")),
        (("Question", "Ideal"), ColumnMapping(prompt="Question", expected="Ideal")),
        (("answer", "expected", "prompt"), ColumnMapping(prompt="prompt", expected="expected")),
        (("messages", "input"), ColumnMapping(messages="messages")),
        (("whatever",), ColumnMapping(prompt="whatever")),
        (("x", "y"), ColumnMapping()),
    ],
)
def test_the_mapping_is_guessed_from_names(columns: tuple[str, ...], mapping: ColumnMapping) -> None:
    assert suggest_mapping(columns) == mapping


@pytest.mark.parametrize(
    ("mapping", "param"),
    [
        (ColumnMapping(prompt="missing"), "mapping.prompt"),
        (ColumnMapping(expected="a"), "mapping.prompt"),
        (ColumnMapping(prompt="a", expected="a"), "mapping.prompt"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: ColumnMapping, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_evaluation_set(b"a,b\n1,2\n", "s.csv", mapping)
    assert caught.value.param == param


def test_a_given_mapping_is_followed() -> None:
    loaded = read_evaluation_set(b"x,y\nask,say\n", "s.csv", ColumnMapping(prompt="y", expected="x"))
    assert (loaded.samples[0].prompt, loaded.samples[0].expected) == ("say", ("ask",))


def test_pasted_lines_are_prompts() -> None:
    assert [sample.prompt for sample in paste_evaluation_set("Say hi\nSay bye\n").samples] == [
        "Say hi",
        "Say bye",
    ]


def test_the_hash_is_of_the_content_not_of_the_file() -> None:
    by_csv = read_evaluation_set(b"id,prompt,expected\n1,a,b\n", "one.csv")
    by_json = read_evaluation_set(jsonl({"expected": "b", "prompt": "a", "id": 1}), "two.jsonl")
    other = read_evaluation_set(b"id,prompt,expected\n1,a,c\n", "one.csv")
    assert by_csv.sha256 == by_json.sha256 != other.sha256


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


@given(
    st.builds(
        Sample,
        id=texts,
        prompt=texts,
        expected=st.lists(texts, max_size=3).map(tuple),
        tags=st.lists(texts, max_size=2).map(tuple),
        metadata=st.dictionaries(texts, st.integers(), max_size=2),
    )
)
def test_a_sample_written_as_a_row_is_read_back(sample: Sample) -> None:
    row = json.loads(json.dumps(sample_to_row(sample)))
    again = sample_from_row(row)
    assert (again.id, again.prompt, dict(again.metadata)) == (sample.id, sample.prompt, dict(sample.metadata))
    if not any(text.lstrip()[:1] in ("[", "{") for text in (*sample.expected, *sample.tags)):
        assert again.expected == sample.expected
        assert again.tags == sample.tags


def test_a_row_that_is_no_sample_says_why() -> None:
    with pytest.raises(ValueError, match="neither a prompt"):
        sample_from_row({"prompt": " "})


def test_samples_as_a_frame_are_read_back() -> None:
    samples = (Sample("1", "a", expected=("x", "y")), Sample("2", "b", choices=("p", "q"), metadata={"k": 1}))
    loaded = samples_from_table(frame_table(samples_to_frame(samples)), "frame")
    assert loaded.samples == samples

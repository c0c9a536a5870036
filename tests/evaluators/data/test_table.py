from __future__ import annotations

import datetime
import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.data.table import BadRow, RawTable, frame_table, pasted_table, read_table
from workbench.core.errors import InvalidRequest


def cells(table: RawTable) -> list[dict[str, object]]:
    return [dict(row.cells) for row in table.rows]


def test_csv_rows_keep_their_line_also_behind_quoted_line_breaks() -> None:
    data = b'prompt,expected\r\n"two\r\nlines",1\r\n\r\nplain,2\r\n'
    table = read_table(data, "set.csv")
    assert [row.line for row in table.rows] == [2, 5]
    assert table.rows[0].cells["prompt"] == "two\nlines"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_seen_in_the_header(delimiter: str) -> None:
    table = read_table(f"a{delimiter}b\n1{delimiter}2\n".encode(), "set.csv")
    assert cells(table) == [{"a": "1", "b": "2"}]


def test_a_quote_that_never_closes_costs_one_row() -> None:
    data = b'prompt,expected\n"open,1\ngood,2\n"also ""good""",3\n'
    table = read_table(data, "set.csv")
    assert [row.cells["prompt"] for row in table.rows] == ["good", 'also "good"']
    assert [row.line for row in table.bad_rows] == [2]
    assert "CSV" in table.bad_rows[0].reason


def test_surplus_cells_are_a_bad_row_and_missing_ones_are_empty() -> None:
    table = read_table(b"a,b\n1,2,3\n4\n", "set.csv")
    assert table.bad_rows == (BadRow(2, "has 3 cells, but there are 2 columns"),)
    assert cells(table) == [{"a": "4"}]


def test_bytes_that_are_no_utf8_cost_their_row_only() -> None:
    for data, name in ((b"a\n\xff\xfex\nfine\n", "s.csv"), (b'{"a": "\xff"}\n{"a": "fine"}\n', "s.jsonl")):
        table = read_table(data, name)
        assert [row.cells["a"] for row in table.rows] == ["fine"]
        assert [bad.reason for bad in table.bad_rows] == ["is not valid UTF-8"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_as_spreadsheets_save_them_are_read(encoding: str) -> None:
    assert cells(read_table("a,b\né,2\n".encode(encoding), "s.csv")) == [{"a": "é", "b": "2"}]


def test_separators_inside_a_cell_are_no_line_ends() -> None:
    table = read_table("a,b\none\u2028two\x0cthree,2\n".encode(), "s.csv")
    assert cells(table) == [{"a": "one\u2028two\x0cthree", "b": "2"}]


def test_jsonl_names_each_bad_line() -> None:
    data = b'{"a": 1}\n\nnot json\n[1]\n{"a": NaN}\n{"a": "\\ud800"}\n{"a": 2, "b": [1, {"c": null}]}\n'
    table = read_table(data, "s.jsonl")
    assert [row.line for row in table.rows] == [1, 7]
    assert [bad.line for bad in table.bad_rows] == [3, 4, 5, 6]
    assert table.columns == ("a", "b")


def test_no_reason_quotes_the_row() -> None:
    data = b'canary {"\n["canary"]\n{"canary": NaN}\n'
    assert "canary" not in repr(read_table(data, "s.jsonl").bad_rows)
    assert "canary" not in repr(read_table(b'a\n"canary"x\n"canary\n', "s.csv").bad_rows)


def test_parquet_and_frames_give_plain_values() -> None:
    frame = pd.DataFrame(
        {
            "text": ["x", None],
            "list": [np.array([1, 2]), [3]],
            "number": [np.int64(3), np.int64(4)],
            "real": [0.5, np.nan],
            "day": [datetime.date(2024, 5, 6), None],
        }
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    for table in (frame_table(frame), read_table(buffer.getvalue(), "s.parquet")):
        assert json.loads(json.dumps(cells(table))) == [
            {"text": "x", "list": [1, 2], "number": 3, "real": 0.5, "day": "2024-05-06"},
            {"text": None, "list": [3], "number": 4, "real": None, "day": None},
        ]


def test_a_cell_json_has_no_word_for_is_a_bad_row() -> None:
    table = frame_table(pd.DataFrame({"a": [b"bytes", "text"]}))
    assert table.bad_rows == (BadRow(1, "has a cell of type bytes"),)
    assert cells(table) == [{"a": "text"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "first prompt\n\nsecond, with a comma\n",
            [{"prompt": "first prompt"}, {"prompt": "second, with a comma"}],
        ),
        ("prompt,expected\n1+1,2\n", [{"prompt": "1+1", "expected": "2"}]),
        ('{"prompt": "a"}\n{"prompt": "b"}', [{"prompt": "a"}, {"prompt": "b"}]),
        ('  [{"prompt": "a"}]', [{"prompt": "a"}]),
        (
            "Hello, how are you?\nFine, thanks",
            [{"prompt": "Hello, how are you?"}, {"prompt": "Fine, thanks"}],
        ),
    ],
)
def test_pasted_text_is_read_as_what_it_looks_like(text: str, expected: list[dict[str, str]]) -> None:
    assert cells(pasted_table(text)) == expected


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "s.csv"),
        (b"\n \n", "s.jsonl"),
        (b"a,b\n", "s.csv"),
        (b"a,a\n1,2\n", "s.csv"),
        (b"not parquet", "s.parquet"),
        (b"{", "s.json"),
        (b'{"a": 1}', "s.json"),
        (b"a\n1\n", "s.xlsx"),
        (b"a\n1\n", "noending"),
    ],
)
def test_what_is_unreadable_as_a_whole_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_table(data, name)
    assert caught.value.param == "data"


@given(st.binary(max_size=300), st.sampled_from(["s.csv", "s.tsv", "s.jsonl", "s.json", "s.parquet"]))
def test_no_bytes_crash_the_reader(data: bytes, name: str) -> None:
    try:
        table = read_table(data, name)
    except InvalidRequest:
        return
    assert all(row.line >= 1 for row in table.rows)
    assert all(bad.line >= 1 for bad in table.bad_rows)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20),
            min_size=2,
            max_size=2,
        )
    )
)
def test_csv_that_python_writes_is_read_back(rows: list[list[str]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    if not kept:
        return
    table = read_table(buffer.getvalue().encode(), "s.csv")
    assert [[row.cells["a"], row.cells["b"]] for row in table.rows] == kept
    assert table.bad_rows == ()


def test_a_preview_shows_rows_as_they_are() -> None:
    preview = read_table(b"q,a\n1,2\n3,4\n5,6\n", "s.csv").to_frame(2)
    assert preview.to_dict(orient="list") == {"q": ["1", "3"], "a": ["2", "4"]}
    assert preview.index.tolist() == [2, 3]

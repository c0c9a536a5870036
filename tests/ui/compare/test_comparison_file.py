from __future__ import annotations

import json

from tests.ui.compare.test_outcome import FAST
from workbench.ui.compare.comparison_file import write_comparison
from workbench.ui.thread.session import ChatSession, Turn


def test_a_column_is_written_with_its_model_prompt_answer_and_numbers() -> None:
    session = ChatSession([Turn("Why?", "Därum", model="a/small", metrics=FAST)])
    (column,) = json.loads(write_comparison([("Be brief.", session), ("", ChatSession())]))["columns"]
    assert (column["model"], column["system"]) == ("a/small", "Be brief.")
    (turn,) = column["turns"]
    assert (turn["prompt"], turn["answer"]) == ("Why?", "Därum")
    assert (turn["numbers"]["ttft_seconds"], turn["numbers"]["conditions"]) == (0.05, "isolated")
    assert "reasoning" not in turn


def test_a_turn_that_failed_has_no_numbers() -> None:
    (column,) = json.loads(write_comparison([("", ChatSession([Turn("Why?", reasoning="Hm", model="m")]))]))[
        "columns"
    ]
    assert column["turns"] == [{"model": "m", "prompt": "Why?", "answer": "", "reasoning": "Hm"}]

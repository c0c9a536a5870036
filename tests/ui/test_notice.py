from __future__ import annotations

import re

import pytest

from workbench.admission import QueuePosition
from workbench.backends.pool import ModelStatus
from workbench.core.backend import ModelCard, ModelState
from workbench.core.errors import (
    BackendFailed,
    ContextLengthExceeded,
    ModelLoading,
    QuotaExhausted,
    RateLimited,
    WeightsError,
    WorkbenchError,
)
from workbench.ui.notice import error_notice, loading_notice, queue_notice


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RateLimited("Full"), "busy", "nothing was lost"),
        (ModelLoading("Loading"), "busy", "the load goes on"),
        (QuotaExhausted("Used up"), "warning", "Ask the owner"),
        (
            ContextLengthExceeded(limit=8, prompt_tokens=9, asked_tokens=1, param="messages"),
            "warning",
            "new conversation",
        ),
        (WeightsError("Damaged"), "error", "Choose another model"),
        (BackendFailed("Broke"), "error", "Send it again"),
    ],
)
def test_every_error_says_what_happened_and_what_to_do(error: WorkbenchError, kind: str, words: str) -> None:
    notice = error_notice(error)
    assert f"wb-{kind}" in notice
    assert words in notice


def test_message_and_next_step_are_two_sentences() -> None:
    for message, said in (
        ("try later", "try later. Send it again"),
        ("Is it there?", "Is it there? Send it again"),
    ):
        assert said in re.sub(r"<[^>]*>", "", error_notice(RateLimited(message)))


def test_messages_are_text_not_markup() -> None:
    assert "<script>" not in error_notice(BackendFailed("<script>1</script>"))


def test_a_load_in_progress_has_a_bar() -> None:
    notice = loading_notice(ModelStatus(ModelCard("a/b", "x"), ModelState.LOADING, "reading weights", 0.4))
    assert "Loading the model … 40%" in notice
    assert 'aria-valuenow="40"' in notice
    assert "reading weights" in notice


@pytest.mark.parametrize("state", [ModelState.READY, ModelState.UNLOADED])
def test_a_model_that_is_not_loading_needs_no_notice(state: ModelState) -> None:
    assert loading_notice(ModelStatus(ModelCard("a/b", "x"), state)) == ""


def test_a_waiting_message_knows_its_place() -> None:
    assert "You are next" in queue_notice(QueuePosition(1, 4))
    assert "number 3" in queue_notice(QueuePosition(3, 12))

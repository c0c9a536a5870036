from __future__ import annotations

from copy import deepcopy

import pytest

from workbench.cluster.failure import Failure
from workbench.core.errors import (
    ContextLengthExceeded,
    InvalidLogin,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
    UnsupportedParameter,
    WorkbenchError,
)


class Elsewhere(UnsupportedParameter):
    """An error that another package has made of one of ours."""


@pytest.mark.parametrize(
    "error",
    [
        UnsupportedParameter("no", param="x"),
        ContextLengthExceeded(limit=8, prompt_tokens=7, asked_tokens=6, param="messages"),
        ModelNotFound("m"),
        QuotaExhausted("used up", retry_after_seconds=3.0),
        InvalidLogin(),
        Overloaded("full", retry_after_seconds=2, code="other"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_was(error: WorkbenchError) -> None:
    arrived = deepcopy(Failure.of(error)).error()
    assert type(arrived) is type(error)
    assert arrived.as_openai() == error.as_openai()
    assert (arrived.status, arrived.headers, arrived.retry_after_seconds) == (
        error.status, error.headers, error.retry_after_seconds,
    )  # fmt: skip


def test_an_error_of_elsewhere_arrives_as_its_nearest_kind() -> None:
    assert type(Failure.of(Elsewhere("no")).error()) is UnsupportedParameter

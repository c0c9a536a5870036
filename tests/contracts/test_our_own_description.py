"""Requests made up from our own OpenAPI document: every answer is what the document says, and none is a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation
from schemathesis.checks import CHECKS, load_all_checks

from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import LiveServer, scripted_workbench, serve_live
from workbench.api.app import create_api
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.settings import Settings

PATIENCE_SECONDS = 30
EXAMPLES = 20

load_all_checks()
HELD: Any = [
    CHECKS.get_one(name)
    for name in ("not_a_server_error", "status_code_conformance", "content_type_conformance",
                 "response_schema_conformance", "unsupported_method")
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_live(tmp_path_factory.mktemp("home"), ScriptedBackend([Script("Hi")])) as running,
    ):
        replace_embedded(patch, FakeGuard(name="embedded"))
        yield running


def _operations() -> dict[str, APIOperation]:
    """Every route that the document describes, by method and path."""
    workbench = scripted_workbench(ScriptedBackend(), Settings())
    described = schemathesis.openapi.from_dict(create_api(workbench).openapi())
    found: list[Any] = list(described.get_all_operations())
    return {operation.label: operation for operation in (result.ok() for result in found)}


OPERATIONS = _operations()


@pytest.mark.parametrize("label", OPERATIONS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_every_answer_is_as_described(server: LiveServer, label: str, data: st.DataObject) -> None:
    case = data.draw(OPERATIONS[label].as_strategy())
    headers = {"authorization": f"Bearer {server.api_key}"}
    answer = case.call(base_url=f"{server.origin}/openai", headers=headers, timeout=PATIENCE_SECONDS)
    case.validate_response(answer, checks=HELD)
    assert server.backend.running == 0


def test_every_route_with_a_body_is_described() -> None:
    assert {label for label in OPERATIONS if label.startswith("POST")} == {
        "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/moderations", "POST /v1/tokenize",
    }  # fmt: skip

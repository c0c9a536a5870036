from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sites import Site
from workbench.core.params import PARAM_NAMES, PARAMS


@pytest.fixture
async def document(site: Site) -> dict[str, Any]:
    body: dict[str, Any] = (await site.client.get("/openai/openapi.json")).json()
    return body


async def test_every_reference_is_defined(document: dict[str, Any]) -> None:
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert {"ChatBody", "CompletionBody", "TokenizeBody", "ChatCompletion", "ErrorAnswer"} <= wanted
    assert wanted <= set(document["components"]["schemas"])
    assert "#/$defs/" not in json.dumps(document)


@pytest.mark.parametrize("name", PARAM_NAMES)
async def test_every_parameter_is_described_with_its_range(document: dict[str, Any], name: str) -> None:
    for body in ("ChatBody", "CompletionBody"):
        described = document["components"]["schemas"][body]["properties"][name]
        assert described["description"] == PARAMS[name].description
        bounds = {key: value for part in described["anyOf"] for key, value in part.items()}
        if PARAMS[name].low is not None:
            assert bounds["minimum"] == PARAMS[name].low


async def test_every_route_documents_its_error_and_never_a_422(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            assert "ErrorAnswer" in json.dumps(operation["responses"]["default"])


async def test_keys_are_how_to_sign_in(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
    assert document["security"] == [{"key": []}]

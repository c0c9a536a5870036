"""Whatever is sent, the answer is a success or an error object below 500, and nothing is left running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.guard.fakes import FakeGuard, replace_embedded
from tests.sites import MODEL, Site, open_site
from workbench.api.schemas.chat import ChatBody
from workbench.api.schemas.completions import CompletionBody
from workbench.api.schemas.moderations import ModerationsBody
from workbench.api.schemas.tokenize import TokenizeBody
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.settings import Settings

ROUTES: dict[str, type[BaseModel]] = {
    "chat/completions": ChatBody,
    "completions": CompletionBody,
    "tokenize": TokenizeBody,
    "moderations": ModerationsBody,
}

scalars = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(width=32) | st.text(max_size=8)
keys = st.sampled_from(
    ["role", "content", "type", "text", "name", "function", "id", "schema", "tool_calls"]
) | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant", "tool", "developer", "function", "x"])},
        optional={"content": values, "name": values, "tool_calls": values, "tool_call_id": values},
    ),
    max_size=3,
)


@st.composite
def bodies(draw: st.DrawFn, route: str) -> dict[str, Any]:
    """A body that is nearly right: right names, mostly wrong values."""
    fields = st.sampled_from([*ROUTES[route].model_fields, "no_such_field"])
    body: dict[str, Any] = draw(st.dictionaries(fields, values, max_size=4))
    if draw(st.booleans()):
        body["model"] = MODEL
    if draw(st.booleans()):
        body["messages"] = draw(messages)
    if draw(st.booleans()):
        body["prompt"] = draw(
            st.text(max_size=5) | st.lists(st.integers(0, 9) | st.text(max_size=3), max_size=3)
        )
    return body


class Driver:
    """A site in a loop of its own, for tests that hypothesis calls again and again."""

    def __init__(self, home: Path) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.site: Site = self._runner.run(
            self._stack.enter_async_context(open_site(Settings(home=home), ScriptedBackend([Script("Hi")])))
        )

    def post(self, route: str, content: bytes) -> httpx.Response:
        return self._runner.run(self.site.client.post(f"/openai/v1/{route}", content=content))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with pytest.MonkeyPatch.context() as patch:
        replace_embedded(patch, FakeGuard(name="embedded"))
        made = Driver(tmp_path_factory.mktemp("home"))
        yield made
        made.close()


def check(driver: Driver, answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}
    assert driver.site.backend.running == 0


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nearly_right_bodies_never_break_the_server(driver: Driver, route: str, data: st.DataObject) -> None:
    check(driver, driver.post(route, json.dumps(data.draw(bodies(route))).encode()))


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=60))
def test_any_bytes_never_break_the_server(driver: Driver, route: str, raw: bytes) -> None:
    check(driver, driver.post(route, raw))

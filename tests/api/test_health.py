from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sites import KEY, MODEL, FakeKeyRing, scripted_workbench
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import Backend, ModelCard, Progress
from workbench.core.caller import LOCAL_USER
from workbench.core.errors import WeightsError
from workbench.core.settings import Settings
from workbench.site import build_app

PATIENCE_SECONDS = 30.0


class SlowOpener:
    """Says it is 40 % through, then waits until it may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.has_begun = threading.Event()
        self.error: WeightsError | None = None

    def __call__(self, card: ModelCard, progress: Progress) -> Backend:
        progress("reading weights", 0.4)
        self.has_begun.set()
        self.may_end.wait()
        if self.error is not None:
            raise self.error
        return ScriptedBackend()


@pytest.fixture
def opener() -> Iterator[SlowOpener]:
    made = SlowOpener()
    yield made
    made.may_end.set()


async def test_ready_tells_stage_and_fraction_until_the_model_answers(
    tmp_path: Path, opener: SlowOpener
) -> None:
    workbench = scripted_workbench(ScriptedBackend(), Settings(home=tmp_path), opener)
    app = build_app(workbench, FakeKeyRing())
    async with app.router.lifespan_context(app), client(app) as visitor:
        assert (await visitor.get("/health/ready")).status_code == 503
        assert await asyncio.to_thread(opener.has_begun.wait, PATIENCE_SECONDS)
        for path in ("/health/ready", "/openai/health"):
            answer = await visitor.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            error = answer.json()["error"]
            assert (error["code"], error["stage"], error["fraction"]) == (
                "model_loading",
                "reading weights",
                0.4,
            )
            assert "40%" in error["message"]
        assert (await visitor.get("/health/live")).status_code == 200
        opener.may_end.set()
        await workbench.warm(MODEL, LOCAL_USER)
        assert (await visitor.get("/health/ready")).json()["status"] == "ready"


async def test_a_default_model_that_was_evicted_is_ready_because_it_loads_on_demand(tmp_path: Path) -> None:
    workbench = scripted_workbench(ScriptedBackend(), Settings(home=tmp_path))
    app = build_app(workbench, FakeKeyRing())
    async with app.router.lifespan_context(app), client(app) as visitor:
        await workbench.warm(MODEL, LOCAL_USER)
        assert await workbench._pool.unload(MODEL)
        assert (await visitor.get("/health/ready")).status_code == 200


async def test_a_server_that_stops_is_not_ready_and_refuses_every_route_that_needs_a_model(
    tmp_path: Path,
) -> None:
    workbench = scripted_workbench(ScriptedBackend(), Settings(home=tmp_path))
    app = build_app(workbench, FakeKeyRing())
    async with app.router.lifespan_context(app), client(app) as visitor:
        await workbench.warm(MODEL, LOCAL_USER)
        workbench.stop_admitting()
        answers = [await visitor.get("/health/ready")]
        for route, body in {
            "chat/completions": {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]},
            "completions": {"model": MODEL, "prompt": "Hi", "stream": True},
            "tokenize": {"model": MODEL, "prompt": "Hi"},
            "moderations": {"input": "Hi"},
        }.items():
            headers = {"authorization": f"Bearer {KEY}"}
            answers.append(await visitor.post(f"/openai/v1/{route}", json=body, headers=headers))
        for answer in answers:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
            assert int(answer.headers["retry-after"]) >= 1
        assert (await visitor.get("/health/live")).status_code == 200


async def test_a_failed_load_is_said_and_does_not_stop_the_server(tmp_path: Path, opener: SlowOpener) -> None:
    opener.error = WeightsError("The weights are damaged.")
    opener.may_end.set()
    workbench = scripted_workbench(ScriptedBackend(), Settings(home=tmp_path), opener)
    app = build_app(workbench, FakeKeyRing())
    async with app.router.lifespan_context(app), client(app) as visitor:
        await workbench.warm(MODEL, LOCAL_USER)
        answer = await visitor.get("/health/ready")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
        assert "damaged" in answer.json()["error"]["message"]
        assert (await visitor.get("/health/live")).status_code == 200


def client(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")

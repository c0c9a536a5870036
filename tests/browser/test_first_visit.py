"""A first visit as a whole: `python app.py` over the real model, a chat, the code, the code run in a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI
from playwright.sync_api import Browser, expect

from tests.browser.conftest import COMPOSER, DESKTOP, PATIENCE_MS, PHONE, choose_view

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".artefacts" / "screenshots"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LOADING_MS = 300_000
QUESTION = "What is the capital of France? Answer in one sentence."


@dataclass(frozen=True, slots=True)
class Started:
    """A server that was started as a user starts it: what it printed."""

    url: str
    key: str


@pytest.fixture(scope="module")
def server(embedded_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(embedded_weights.parent)
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if line.startswith("The key is shown"):
                break
        url, key = re.search(r"Workbench: (\S+)", printed), re.search(r"API key: +(\S+)", printed)
        assert url is not None
        assert key is not None
        yield Started(url[1], key[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_somebody_who_never_saw_it_chats_and_pastes_the_code_into_a_terminal(
    server: Started, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector(".wb-state-ready", timeout=LOADING_MS)
    page.fill("#ui-temperature input[type=number]", "0")
    page.fill(COMPOSER, QUESTION)
    page.press(COMPOSER, "Enter")
    expect(page.locator(".wb-finish")).to_have_text("Finished", timeout=60_000)
    expect(page.locator("#wb-thread")).to_contain_text("Paris")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "first-visit-chat.png")

    choose_view(page, "API")
    page.click("#api-language input")
    page.click("[role=option]:has-text('Curl')")
    page.fill("#api-message textarea", "Name a colour; 'red' or \"blue\" or `green` or $HOME?")
    expect(page.locator("#api-code code")).to_contain_text("green")
    page.screenshot(path=PICTURES / "first-visit-api.png")
    page.click("#api-make-key")
    expect(page.locator("#api-block")).to_contain_text("wb-")
    block = page.locator("#api-block code").evaluate("element => element.textContent")
    ran = subprocess.run(
        ["bash", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=_plain(),
    )
    assert '"object":"chat.completion"' in ran.stdout
    assert '"finish_reason"' in ran.stdout

    page.reload()
    page.wait_for_selector(".wb-state-ready")
    assert "Paris" not in page.inner_text("#wb-thread")
    context.close()


def _plain() -> dict[str, str]:
    """The environment without any key of ours: the block must bring its own."""
    return {name: value for name, value in os.environ.items() if name != "WORKBENCH_API_KEY"}


@pytest.mark.parametrize(("size", "is_dark"), [(DESKTOP, True), (PHONE, False), (PHONE, True)])
def test_the_page_opens_in_every_size_and_scheme(
    server: Started, browser: Browser, size: tuple[int, int], is_dark: bool
) -> None:
    scheme = "dark" if is_dark else "light"
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector(".wb-state-ready", timeout=LOADING_MS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"first-visit-{size[0]}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_a_script_calls_the_same_model_over_the_api(server: Started) -> None:
    client = OpenAI(base_url=f"{server.url}/openai/v1", api_key=server.key, max_retries=5, timeout=120)
    asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
    answer = client.chat.completions.create(**asked, max_tokens=20)
    assert "Paris" in answer.choices[0].message.content
    chunks = client.chat.completions.create(**asked, max_tokens=20, stream=True)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == answer.choices[0].message.content
    assert httpx.get(f"{server.url}/health/ready").status_code == 200

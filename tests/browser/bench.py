"""How fast the page is, in a real browser over a scripted model: `python -m tests.browser.bench`.

The model's own times are known, so what is measured is what service, Gradio and browser add to them.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import COMPOSER, DESKTOP, FLAGS, NAMES
from tests.browser.demo import Stage, serve
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import CallContext, ModelCard, Progress
from workbench.core.chat import Delta, GenerationRequest, StreamEvent

LONG_MESSAGE = ("a-long-word-" * 8 + " ") * 20
"""About 2,000 characters in 20 words: a hundred of them fit the scripted model's context."""

_WATCH = """
() => {
  window.seen = { first: 0, last: 0, words: 0 };
  const look = () => {
    const rows = document.querySelectorAll("#wb-thread .bot-row");
    const text = rows.length ? rows[rows.length - 1].textContent : "";
    const words = (text.match(/w\\d+\\b/g) || []).length;
    if (words <= window.seen.words) return;
    window.seen.first ||= Date.now();
    window.seen.last = Date.now();
    window.seen.words = words;
  };
  new MutationObserver(look).observe(document.querySelector("#wb-thread"),
                                     { childList: true, subtree: true, characterData: true });
}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A thread of `messages` long messages, and an answer of `words` words at `rate` a second."""

    messages: int
    words: int
    rate: float
    tabs: int = 1

    @property
    def name(self) -> str:
        chat = f"{self.messages} messages of 2 kB" if self.messages else "an empty chat"
        tabs = f", {self.tabs} tabs at once" if self.tabs > 1 else ""
        return f"{self.words:,} words at {self.rate:,.0f}/s into {chat}{tabs}"


CASES = (
    Case(0, 500, 100),
    Case(20, 500, 100),
    Case(100, 500, 100),
    Case(0, 2000, 1000),
    Case(0, 500, 100, tabs=4),
)


class TimedBackend(ScriptedBackend):
    """Writes down when the first and the last word of its last answer left it, in seconds since the epoch."""

    first_at = last_at = 0.0

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        self.first_at = 0.0
        async for event in super().stream(request, context):
            if isinstance(event, Delta) and event.token_count:
                self.last_at = time.time()
                self.first_at = self.first_at or self.last_at
            yield event


class TimedStage(Stage):
    """Answers with the case's numbered words."""

    def __init__(self) -> None:
        super().__init__()
        self.case = CASES[0]

    def answer(self, request: GenerationRequest) -> Script:
        words = " ".join(f"w{number}" for number in range(self.case.words))
        return Script(words, token_seconds=1 / self.case.rate)

    def open_model(self, card: ModelCard, progress: Progress) -> ScriptedBackend:
        self.backends[card.id] = TimedBackend(answer=self.answer)
        return self.backends[card.id]


@contextmanager
def opened(browser: Browser, address: str, words: int) -> Iterator[Page]:
    """The page in a fresh profile, its model ready, answers of `words` words allowed."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".wb-state-ready")
    page.fill("#ui-max-tokens input[type=number]", str(words))
    page.press("#ui-max-tokens input[type=number]", "Tab")
    yield page
    context.close()


def usable_seconds(browser: Browser, address: str) -> float:
    """A load with a cold cache, until somebody can type."""
    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.fill(COMPOSER, "x")
    taken = time.perf_counter() - began
    context.close()
    return taken


def fill_thread(page: Page, messages: int) -> None:
    """Imports a conversation of so many long messages."""
    said = [{"role": ("user", "assistant")[place % 2], "content": LONG_MESSAGE} for place in range(messages)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "conversation.json"
        file.write_text(json.dumps({"messages": said}), "utf-8")
        with page.expect_file_chooser() as chooser:
            page.click("#wb-import")
        chooser.value.set_files(file)
        page.locator("#wb-thread .user-row").nth(messages // 2 - 1).wait_for()


def run(browser: Browser, address: str, stage: TimedStage, case: Case) -> str:
    """What the case took."""
    stage.case = case
    with opened(browser, address, case.words) as page, _other_tabs(browser, address, case, case.tabs - 1):
        if case.messages:
            fill_thread(page, case.messages)
        page.evaluate(_WATCH)
        page.fill(COMPOSER, "Count")
        entered = time.time()
        page.press(COMPOSER, "Enter")
        page.wait_for_function(f"() => window.seen.words >= {case.words}", timeout=180_000)
        seen = page.evaluate("() => window.seen")
        backend = next(iter(stage.backends.values()))
        assert isinstance(backend, TimedBackend)
        first = seen["first"] / 1000 - entered - 1 / case.rate
        last = seen["last"] / 1000 - backend.last_at
        page.wait_for_selector("#wb-send")
    return f"Enter to first word +{1000 * first:.0f} ms, last word {1000 * last:.0f} ms behind the model"


@contextmanager
def _other_tabs(browser: Browser, address: str, case: Case, count: int) -> Iterator[None]:
    """So many more tabs, each with an answer on its way."""
    if count == 0:
        yield
        return
    with opened(browser, address, case.words) as page, _other_tabs(browser, address, case, count - 1):
        page.fill(COMPOSER, "Count")
        page.press(COMPOSER, "Enter")
        yield


def main() -> None:
    """Measures and prints a table."""
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        sys.exit("No Chromium here: sudo apt-get install chromium")
    stage = TimedStage()
    with (
        tempfile.TemporaryDirectory() as home,
        serve(stage, Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        loads = [usable_seconds(browser, address) for _ in range(5)]
        _tell(f"usable with a cold cache, median of {len(loads)}: {median(loads):.2f} s")
        for case in CASES:
            _tell(f"{case.name}: {run(browser, address, stage, case)}")
        browser.close()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

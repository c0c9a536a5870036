"""How fast the page is, in a real browser over a scripted model.

Run by hand: `python bench/page_speed.py`, or one case of it: `--case 1`. The model's own times are known, so what is
measured is what service, Gradio and browser add to them. Not covered: a real model beside the page on the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import COMPOSER, DESKTOP, FLAGS, NAMES, SCRIPTS_ARE_THERE
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


USABLE_SECONDS = 2.0
FIRST_WORD_MS = 120.0
"""What may lie between Enter and the first visible word, beside the model's own time."""
LOADS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A thread of `messages` long messages, and an answer of `words` words at `rate` a second.

    `behind_ms` is how far behind the model the page may end.
    """

    messages: int
    words: int
    rate: float
    behind_ms: float = 300.0
    tabs: int = 1

    @property
    def name(self) -> str:
        """The case in words."""
        chat = f"{self.messages} messages of 2 kB" if self.messages else "an empty chat"
        tabs = f", {self.tabs} tabs at once" if self.tabs > 1 else ""
        return f"{self.words:,} words at {self.rate:,.0f}/s into {chat}{tabs}"


CASES = (
    Case(0, 500, 100),
    Case(20, 500, 100),
    Case(100, 500, 100, behind_ms=1000),
    Case(0, 2000, 1000, behind_ms=500),
    Case(0, 500, 100, tabs=4),
)


class TimedBackend(ScriptedBackend):
    """Writes down when the last word so far of its newest answer left it, in seconds since the epoch."""

    last_at = 0.0
    answers = 0

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The scripted events, timed."""
        self.answers += 1
        own = self.answers
        async for event in super().stream(request, context):
            if own == self.answers and isinstance(event, Delta) and event.token_count:
                self.last_at = time.time()
            yield event


class TimedStage(Stage):
    """Answers with the case's numbered words."""

    def __init__(self) -> None:
        super().__init__()
        self.case = CASES[0]

    def answer(self, request: GenerationRequest) -> Script:
        """The case's words at the case's rate."""
        words = " ".join(f"w{number}" for number in range(self.case.words))
        return Script(words, token_seconds=1 / self.case.rate)

    def open_model(self, card: ModelCard, progress: Progress) -> ScriptedBackend:
        """A timed backend for every model."""
        self.backends[card.id] = TimedBackend(answer=self.answer)
        return self.backends[card.id]


@contextmanager
def opened(browser: Browser, address: str, words: int) -> Iterator[Page]:
    """The page in a fresh profile, its model ready, answers of `words` words allowed."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(SCRIPTS_ARE_THERE)
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


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds from Enter to the first visible word less the model's own, and behind the model at the end."""

    first_ms: float
    behind_ms: float


def run(browser: Browser, address: str, stage: TimedStage, case: Case) -> Measured:
    """What the case took."""
    stage.case = case
    with ExitStack() as stack:
        page, *others = [stack.enter_context(opened(browser, address, case.words)) for _ in range(case.tabs)]
        if case.messages:
            fill_thread(page, case.messages)
        page.evaluate(_WATCH)
        for tab in (*others, page):
            tab.fill(COMPOSER, "Count")
        for tab in others:
            tab.press(COMPOSER, "Enter")
        entered = time.time()
        page.press(COMPOSER, "Enter")
        page.wait_for_function(f"() => window.seen.words >= {case.words}", timeout=180_000)
        seen = page.evaluate("() => window.seen")
        backend = next(iter(stage.backends.values()))
        if not isinstance(backend, TimedBackend):
            raise TypeError("the stage answers with another backend")
        first = seen["first"] / 1000 - entered - 1 / case.rate
        last = seen["last"] / 1000 - backend.last_at
        page.wait_for_selector("#wb-send")
    return Measured(1000 * first, 1000 * last)


def main() -> None:
    """Measures and prints a table; the machine's load average stands beside every number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=int, choices=range(len(CASES)), help="only this one")
    chosen = parser.parse_args().case
    cases = CASES if chosen is None else (CASES[chosen],)
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
        _row("what", "first word", "behind at the end", "aim", "load")
        _row("---", "---:", "---:", "---", "---:")
        if chosen is None:
            seconds = median(usable_seconds(browser, address) for _ in range(LOADS))
            name = f"usable with a cold cache, median of {LOADS}"
            _row(name, f"{seconds:.2f} s", "", f"{USABLE_SECONDS} s", _load())
        for case in cases:
            measured = run(browser, address, stage, case)
            aim = f"{FIRST_WORD_MS:.0f} ms, {case.behind_ms:.0f} ms"
            _row(case.name, f"{measured.first_ms:.0f} ms", f"{measured.behind_ms:.0f} ms", aim, _load())
        browser.close()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

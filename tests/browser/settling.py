"""When a page has all it asked for, however long that took."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, Page

PATIENCE_MS = 120_000

_PENDING = Path(__file__).with_name("pending.js")
# An answer is painted a turn after it came, and what it changes may send the next event.
_IS_SETTLED = """
async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    if (window.wbPending.size) return false;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  return window.wbPending.size === 0;
}
"""


def watch(context: BrowserContext) -> None:
    """Lets the pages that are opened in this profile from now on be settled."""
    context.add_init_script(path=_PENDING)


def settle(page: Page) -> None:
    """Returns once every request and every event of the page is answered, and the answers are painted."""
    page.wait_for_function(_IS_SETTLED, timeout=PATIENCE_MS)

"""The whole site over scripted models: for the browser tests, and for people who work on the page.

`python -m tests.browser.demo [port] [seconds a model takes to load]` serves it.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import uvicorn

from tests.sites import FakeKeyRing
from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.access import AccountRole
from workbench.core.backend import ModelCard, Progress
from workbench.core.chat import ChatPrompt, GenerationRequest, Role
from workbench.core.settings import Settings
from workbench.logs import configure_logs
from workbench.service import Workbench
from workbench.site import build_app, gradio_page
from workbench.store import FILE_NAME, Store

STARTUP_SECONDS = 60.0
PASSWORD = "correct horse battery"
"""Of every account of the demo."""

MARKDOWN = """Here is the idea in three steps.

1. **Sunlight** looks white, and is a mixture of all colours.
2. Air scatters the short wavelengths far more than the long ones, by about $$I \\propto \\lambda^{-4}$$
3. So blue light reaches your eye from *every* direction of the sky.

```python
def scattering(wavelength_nm: float) -> float:
    \"\"\"Relative Rayleigh scattering, 550 nm = 1.\"\"\"
    return (550 / wavelength_nm) ** 4
```

| Colour | Wavelength | Relative scattering |
| --- | ---: | ---: |
| Blue | 450 nm | 2.23 |
| Green | 550 nm | 1.00 |
| Red | 700 nm | 0.38 |

At sunset the light crosses much more air: most of the blue is gone, and the red is left."""

SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"
THINKER = "demo/thinker"
CARDS = (
    ModelCard(SMALL, "script", backend="scripted", price_per_million_tokens=0.02, panel_max_tokens=256),
    ModelCard(
        f"{SMALL}:int8", "script", backend="scripted", quantization="int8", price_per_million_tokens=0.02,
        panel_max_tokens=256,
    ),
    ModelCard(THINKER, "script", backend="scripted", price_per_million_tokens=0.20, region="a remote endpoint"),
)  # fmt: skip


def _is_set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass(slots=True)
class Stage:
    """What the scripted models do, and what became of it; a test may change it while the site runs.

    A model that is being loaded is not ready before `may_load` is set.
    """

    token_seconds: float = 1 / 30
    load_seconds: float = 0.0
    may_load: threading.Event = field(default_factory=_is_set)
    scripts: list[Script] = field(default_factory=list)
    backends: dict[str, ScriptedBackend] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """Answers on their way, over all models."""
        return sum(backend.running for backend in self.backends.values())

    def answer(self, request: GenerationRequest) -> Script:
        """The next script if there is one, else an answer that suits the last message."""
        if self.scripts:
            return self.scripts.pop(0)
        messages = request.prompt.messages if isinstance(request.prompt, ChatPrompt) else ()
        text = next((message.content for message in reversed(messages) if message.role is Role.USER), "")
        if request.model == THINKER:
            thought = "The user asks. Let me count to forty-two first. " * 6
            return Script("It is 42.", reasoning=thought, token_seconds=self.token_seconds)
        if "sky" in text:
            return Script(MARKDOWN, token_seconds=self.token_seconds)
        if "long" in text:
            # Minutes, at a pace that leaves a busy browser time for what is clicked.
            return Script("word " * 600, token_seconds=max(self.token_seconds, 1 / 4))
        return Script("Hello! How can I help you today?", token_seconds=self.token_seconds)

    def open_model(self, card: ModelCard, progress: Progress) -> ScriptedBackend:
        """Takes `load_seconds`, telling of its progress, and longer where it may not be ready yet."""
        for step in range(20):
            progress("reading weights", step / 20)
            time.sleep(self.load_seconds / 20)
        self.may_load.wait()
        self.backends[card.id] = ScriptedBackend(answer=self.answer)
        return self.backends[card.id]


def demo_workbench(
    stage: Stage, home: Path, cards: Sequence[ModelCard] = CARDS, store: Store | None = None
) -> Workbench:
    """A service over the stage's models."""
    catalogue = Catalogue({card.id: card for card in cards})
    return Workbench(Settings(home=home, guard="off"), catalogue, Pool(catalogue, stage.open_model), store)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[uvicorn.Server], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce(self)


async def _serve(
    stage: Stage,
    home: Path,
    listener: socket.socket,
    cards: Sequence[ModelCard],
    accounts: Mapping[str, AccountRole],
    announce: Callable[[uvicorn.Server], None],
) -> None:
    async with await Store.open(home / FILE_NAME) as store:
        for name, role in accounts.items():
            await store.accounts.create(name, PASSWORD, role)
        site = build_app(
            demo_workbench(stage, home, cards, store),
            FakeKeyRing(),
            page=gradio_page,
            accounts=store.accounts if accounts else None,
        )
        config = uvicorn.Config(site, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        await _Server(config, announce).serve([listener])


@contextmanager
def serve(
    stage: Stage,
    home: Path,
    port: int = 0,
    cards: Sequence[ModelCard] = CARDS,
    accounts: Mapping[str, AccountRole] = MappingProxyType({}),
) -> Iterator[str]:
    """The site's address, served by a thread until the context ends. With `accounts`, everybody logs in."""
    configure_logs("ERROR")
    listener = socket.create_server(("127.0.0.1", port))
    up: queue.SimpleQueue[uvicorn.Server] = queue.SimpleQueue()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(stage, home, listener, cards, accounts, up.put)), name="demo-site"
    )
    thread.start()
    server = up.get(timeout=STARTUP_SECONDS)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        stage.may_load.set()
        server.should_exit = True
        thread.join(STARTUP_SECONDS)
        listener.close()
        assert not thread.is_alive(), "the site did not stop"


def main() -> None:
    """Serves until interrupted."""
    port, load_seconds = (int(sys.argv[1]) if len(sys.argv) > 1 else 7861), 4.0
    if len(sys.argv) > 2:
        load_seconds = float(sys.argv[2])
    home = tempfile.TemporaryDirectory(prefix="workbench-demo-")
    with home as folder, serve(Stage(load_seconds=load_seconds), Path(folder), port) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()

"""The page over a scripted model, for people who work on it: `python tests/browser/dev_server.py [port]`."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from workbench.backends.catalogue import Catalogue
from workbench.backends.pool import Pool
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.backend import ModelCard, Progress
from workbench.core.chat import ChatPrompt, GenerationRequest
from workbench.core.settings import read_settings
from workbench.service import Workbench
from workbench.ui.app import mount_ui

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

CARDS = (
    ModelCard("HuggingFaceTB/SmolLM2-135M-Instruct", "script", backend="scripted", price_per_million_tokens=0.02,
              panel_max_tokens=256),
    ModelCard("HuggingFaceTB/SmolLM2-135M-Instruct:int8", "script", backend="scripted", quantization="int8",
              price_per_million_tokens=0.02, panel_max_tokens=256),
    ModelCard("demo/thinker", "think", backend="scripted", price_per_million_tokens=0.20, region="a remote endpoint"),
)  # fmt: skip


def script_for(request: GenerationRequest, token_seconds: float) -> Script:
    """Reasons when asked of the thinker; long text on request, Markdown for a question, else a short answer."""
    text = request.prompt.messages[-1].content if isinstance(request.prompt, ChatPrompt) else ""
    if "thinker" in request.model:
        return Script("It is 42.", reasoning="The user asks. Let me count to forty-two first. " * 6,
                      token_seconds=token_seconds)  # fmt: skip
    if "sky" in text:
        return Script(MARKDOWN, token_seconds=token_seconds)
    return Script(
        "word " * 500 if "long" in text else "Hello! How can I help you today?", token_seconds=token_seconds
    )


def demo_workbench(
    *, token_seconds: float = 1 / 30, load_seconds: float = 0.0, cards: Sequence[ModelCard] = CARDS
) -> tuple[Workbench, dict[str, ScriptedBackend]]:
    """A service over scripted models, and the backends it has loaded so far, by model id."""
    opened: dict[str, ScriptedBackend] = {}

    def opener(card: ModelCard, progress: Progress) -> ScriptedBackend:
        for step in range(20):
            progress("reading weights", step / 20)
            time.sleep(load_seconds / 20)
        opened[card.id] = ScriptedBackend(answer=lambda request: script_for(request, token_seconds))
        return opened[card.id]

    catalogue = Catalogue({card.id: card for card in cards})
    return Workbench(read_settings(), catalogue, Pool(catalogue, opener)), opened


def demo_app(workbench: Workbench) -> FastAPI:
    """The page alone, without the API."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        await workbench.start()
        yield
        await workbench.stop()

    return mount_ui(FastAPI(lifespan=lifespan), workbench)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 7861
    workbench, _ = demo_workbench(load_seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 4.0)
    uvicorn.run(demo_app(workbench), host="127.0.0.1", port=port, log_level="warning")

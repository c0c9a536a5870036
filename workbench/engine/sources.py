"""Where a model's files come from: the embedded wheel, a local folder, a GGUF file, or a hub."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from workbench.core.backend import ModelCard, Progress
from workbench.core.settings import Settings
from workbench.engine.hub import explained_hub_errors
from workbench.engine.weights import ensure_embedded, ensure_gguf

EMBEDDED_PREFIX = "embedded:"
HUB_PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "tokenizer*")


def locate(card: ModelCard, settings: Settings, progress: Progress) -> Path:
    """The local folder with this model's config, tokenizer and safetensors, brought or converted where needed.

    Raises: WeightsError naming what is missing and the cure; HubUnreachable.
    """
    if card.source.startswith(EMBEDDED_PREFIX):
        return ensure_embedded(card.source.removeprefix(EMBEDDED_PREFIX), settings.home, progress)
    path = Path(card.source).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return _converted(path, settings, progress)
    if path.is_dir():
        gguf = path / card.gguf_file if card.gguf_file else None
        return _converted(gguf, settings, progress) if gguf is not None else path
    return _download(card, settings, progress)


def wanted_files(card: ModelCard) -> list[str]:
    """The patterns of the files that are brought of a hub's model."""
    return [*HUB_PATTERNS, card.gguf_file] if card.gguf_file else list(HUB_PATTERNS)


def _converted(gguf: Path, settings: Settings, progress: Progress) -> Path:
    name = f"{gguf.stem}-{hashlib.sha256(str(gguf.resolve()).encode()).hexdigest()[:8]}"
    return ensure_gguf(gguf, settings.home / "models" / name, progress)


def _download(card: ModelCard, settings: Settings, progress: Progress) -> Path:
    """The hub's snapshot of this model, in the hub's own cache (HF_HOME)."""
    from huggingface_hub import snapshot_download

    with explained_hub_errors(card):
        folder = snapshot_download(
            card.source,
            revision=card.revision,
            allow_patterns=wanted_files(card),
            tqdm_class=_progress_bar(progress),
        )
    path = Path(folder)
    return _converted(path / card.gguf_file, settings, progress) if card.gguf_file else path


def _progress_bar(progress: Progress) -> type[Any]:
    """A tqdm class that tells `progress` instead of a terminal."""
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # tqdm is untyped
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            if self.total:
                progress("downloading", min(1.0, self.n / self.total))
            return shown

    return Bar


class _Nowhere:
    """A text file that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""

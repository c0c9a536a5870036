"""Which of Gradio's built files a page needs, read from the files themselves.

Its scripts load each other in five steps, and each step waits for the one before; named in the page's head, they all
come at once. Gradio builds with Vite, which writes beside every import() what it depends on:
`import(`./Index-x.js`),__vite__mapDeps([1,2])`, numbers of the list `m.f=["./a.js", ...]` at the file's begin. Where a
later Gradio is built otherwise, less is found here, and the page loads as Gradio alone would load it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path

_ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')
_LIST = re.compile(r"m\.f=(\[[^\]]*\])")
_IMPORT = r"import\(`\./([^`]+)`\)[^`]{0,60}?,__vite__mapDeps\(\[([\d,]*)\]"
_COMPONENT = re.compile(r"[{,](\w+):\{(?:example:[^{}]*?,)?component:\(\)=>\w+\(\(\)=>" + _IMPORT)


def page_chunks(frontend: Path, components: Collection[str]) -> tuple[str, ...]:
    """The files' names in `frontend`/assets, scripts and style sheets, for a page of these components."""
    assets = frontend / "assets"
    page = _text(frontend / "index.html")
    entry = _ENTRY.search(page)
    if entry is None:
        return ()
    app = _listed(_text(assets / entry[1]))
    chunks = dict.fromkeys(app)
    for name in (name for name in app if name.startswith(("Index-", "core-")) and name.endswith(".js")):
        text = _text(assets / name)
        chunks |= dict.fromkeys(_blocks(text))
        for component, file, numbers in _COMPONENT.findall(text):
            if component in components:
                chunks |= dict.fromkeys(_needed(text, file, numbers))
    return tuple(name for name in chunks if name not in page and (assets / name).is_file())


def chunk_links(chunks: Iterable[str]) -> str:
    """Markup that has the browser fetch them now, as Vite itself would fetch them later."""
    return "".join(
        f'<link rel="preload" as="style" crossorigin href="./assets/{name}">'
        if name.endswith(".css")
        else f'<link rel="modulepreload" crossorigin href="./assets/{name}">'
        for name in chunks
    )


def _blocks(text: str) -> list[str]:
    """What builds a page of blocks, if this file loads it."""
    found = re.search(_IMPORT.replace(r"([^`]+)", r"(Blocks-[^`]+)"), text)
    return [] if found is None else _needed(text, found[1], found[2])


def _needed(text: str, file: str, numbers: str) -> list[str]:
    """A file that `text` imports, and what it depends on."""
    listed = _listed(text)
    places = (int(number) for number in numbers.split(",") if number)
    return [file, *(listed[place] for place in places if place < len(listed))]


def _listed(text: str) -> list[str]:
    found = _LIST.search(text)
    return [] if found is None else [str(name).removeprefix("./") for name in json.loads(found[1])]


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""

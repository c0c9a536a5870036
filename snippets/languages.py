"""The table of languages and their client libraries; each pair is `templates/<language>/<client>.jinja`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """A way to call the API. `install_line` is None where the language brings all that is needed."""

    name: str
    label: str
    install_line: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the drop-down; its first client is the default.

    `editor_language` is the highlighter's name for it; `stdin_line` runs a program from standard input, None where
    the shell itself does.
    """

    name: str
    label: str
    suffix: str
    editor_language: str
    stdin_line: str | None
    clients: tuple[Client, ...]

    def client(self, name: str | None = None) -> Client:
        """The client called `name`, or the default. Raises: KeyError for a name that is not in the table."""
        if name is None:
            return self.clients[0]
        return {client.name: client for client in self.clients}[name]


LANGUAGES: Mapping[str, Language] = {
    language.name: language
    for language in (
        Language(
            "python",
            label="Python",
            suffix="py",
            editor_language="python",
            stdin_line="python3 -",
            clients=(
                Client("openai", "openai", "pip install --upgrade openai"),
                Client("httpx", "httpx", "pip install httpx"),
            ),
        ),
        Language(
            "javascript",
            label="JavaScript",
            suffix="mjs",
            editor_language="javascript",
            stdin_line="node --input-type=module -",
            clients=(
                Client("openai", "openai", "npm install openai"),
                Client("fetch", "fetch"),
            ),
        ),
        Language(
            "curl",
            label="Curl",
            suffix="sh",
            editor_language="shell",
            stdin_line=None,
            clients=(Client("curl", "curl"),),
        ),
    )
}

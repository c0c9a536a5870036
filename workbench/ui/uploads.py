"""Whose each uploaded file is, and how long it stays: its account alone reads it, and only while its page is open."""

from __future__ import annotations

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

KINDS = frozenset({".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".toml", ".tsv", ".txt"})
"""The endings of files that some page reads."""
MOST_OF_AN_ACCOUNT = 32
"""Files kept of one account; the oldest go first."""


class Uploads:
    """The files under `folder`, which is emptied when this is made. Files of the same content and name are shared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        self._of_account: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def add(self, account: str, paths: Iterable[str]) -> bool:
        """Notes files that Gradio has written. False, with all of them gone, when one is of a kind no page reads."""
        written, own = list(paths), self._of_account[account]
        for path in written:
            own.pop(path, None)
            own[path] = None
        if not all(Path(path).suffix.lower() in KINDS for path in written):
            self._drop(account, written)
            return False
        self._drop(account, list(own)[: max(0, len(own) - MOST_OF_AN_ACCOUNT)])
        return True

    def may_read(self, account: str, path: str) -> bool:
        """True for a file that this account has uploaded and that is still kept, spelled as Gradio has named it."""
        return path in self._of_account.get(account, {})

    def forget(self, account: str) -> None:
        """The account has left: its files go, but for those that another has uploaded too."""
        self._drop(account, list(self._of_account.get(account, {})))
        self._of_account.pop(account, None)

    def _drop(self, account: str, paths: Iterable[str]) -> None:
        for path in paths:
            self._of_account[account].pop(path, None)
            if not any(path in others for others in self._of_account.values()):
                file = Path(path)
                file.unlink(missing_ok=True)
                # Gradio gives each content a folder of its own; another name of it may still be there.
                with contextlib.suppress(OSError):
                    file.parent.rmdir()

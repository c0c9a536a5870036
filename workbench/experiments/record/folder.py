"""An experiment's own folder: rows that survive a crash, and the files made of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from evaluators.base import Sample
from evaluators.data import EvaluationSet, read_evaluation_set, sample_to_row
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.rows import JudgementRow, PhaseRow, RequestRow, SampleRow, UnderLoadRow

Row = TypeVar("Row")


class RowFile(Generic[Row]):
    """A JSONL file that rows are only ever added to; what `add` returned from is on the disk, unless told otherwise."""

    def __init__(self, path: Path, kind: type[Row]) -> None:
        self.path = path
        self._adapter: TypeAdapter[Row] = TypeAdapter(kind)

    def add(self, rows: Iterable[Row], *, is_kept_at_once: bool = True) -> None:
        """Adds the rows and waits until the disk has them, unless they may be lost with the machine."""
        data = b"".join(self._adapter.dump_json(row) + b"\n" for row in rows)
        if not data:
            return
        with self.path.open("ab") as file:
            file.write(data)
            file.flush()
            if is_kept_at_once:
                os.fsync(file.fileno())

    def read(self) -> list[Row]:
        """All whole rows; a last line that a crash cut off is none."""
        if not self.path.exists():
            return []
        rows: list[Row] = []
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                rows.append(self._adapter.validate_json(line))
            except ValidationError as failure:
                raise ConfigurationError(f"{self.path.name} holds a row of another version.") from failure
        return rows

    def repair(self) -> None:
        """Cuts off a last line without an end, so that the next row begins a line of its own."""
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self.path.open("r+b") as file:
                file.truncate(whole)


class ExperimentFolder:
    """Where one experiment lives. Its texts are here and nowhere else; deleting it deletes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests = RowFile(path / "requests.jsonl", RequestRow)
        self.samples = RowFile(path / "samples.jsonl", SampleRow)
        self.phases = RowFile(path / "phases.jsonl", PhaseRow)
        self.under_load = RowFile(path / "under_load.jsonl", UnderLoadRow)
        self.judgements = RowFile(path / "judgements.jsonl", JudgementRow)

    @property
    def manifest_path(self) -> Path:
        """What makes the experiment repeatable."""
        return self.path / "manifest.json"

    @property
    def report_path(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @property
    def verdict_path(self) -> Path:
        """The verdict for programs."""
        return self.path / "verdict.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else runs this experiment meanwhile: two would ask, and store, everything twice.

        Raises: ConfigurationError when another process does.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self.path / "running.lock", timeout=0, thread_local=False):
                yield
        except Timeout:
            raise ConfigurationError(
                f"The experiment in {self.path} is being run already. Wait until that run has ended, or name another "
                "folder."
            ) from None

    def create(self) -> None:
        """Makes the folder, readable by this user only, and mends what a crash left."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.path / "data").mkdir(exist_ok=True)
        for file in (self.requests, self.samples, self.phases, self.under_load, self.judgements):
            file.repair()

    def read_manifest(self) -> dict[str, Any] | None:
        """The manifest, or None where none was written."""
        if not self.manifest_path.exists():
            return None
        manifest: dict[str, Any] = json.loads(self.manifest_path.read_text("utf-8"))
        return manifest

    def read_decision(self) -> str:
        """What the verdict came to; empty where there is none."""
        if not self.verdict_path.exists():
            return ""
        return str(json.loads(self.verdict_path.read_text("utf-8"))["decision"])

    def write_text(self, path: Path, text: str) -> None:
        """Puts a whole file in place: readers see the old one or the new one."""
        part = path.with_suffix(path.suffix + ".part")
        part.write_text(text, "utf-8")
        part.replace(path)

    def write_json(self, path: Path, value: Any) -> None:
        """As `write_text`, for JSON."""
        self.write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def keep_data(self, probe: str, samples: Sequence[Sample]) -> None:
        """Keeps what is asked, so that the run can go on and be repeated without the file it came from."""
        lines = (json.dumps(sample_to_row(sample), ensure_ascii=False) for sample in samples)
        self.write_text(self.data_path(probe), "".join(line + "\n" for line in lines))

    def data_path(self, probe: str) -> Path:
        """The items of one probe."""
        return self.path / "data" / f"{probe}.jsonl"

    def read_data(self, probe: str) -> EvaluationSet:
        """The kept items of one probe."""
        return read_evaluation_set(self.data_path(probe).read_bytes(), f"{probe}.jsonl")

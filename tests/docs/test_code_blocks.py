"""Every block of code in the documents works: programs and commands run, in order, against a server with a script.

Commands that would take minutes or change the machine are replaced by `shims.py`, which holds their arguments to
what the project really has.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from evaluators.data import read_evaluation_set
from tests.docs.documents import DOCUMENTS, Block, blocks, name
from tests.docs.shims import ROOT, SHIMMED, install
from tests.sites import MODEL, LiveServer, serve_live
from tests.snippets.programs import Programs
from workbench.backends.catalogue import EMBEDDED_ID, read_catalogue
from workbench.backends.scripted import ScriptedBackend
from workbench.experiments.spec.experiment import read_experiment

SHELLS = {"sh", "shell", "console"}
PROSE = {"", "text", "nginx"}
DATA = {"toml", "json", "jsonl", "yaml", "csv"}
MEASURED = "docs/benchmarks.md"
"""Its commands take minutes and are held to name what exists."""
RUN = [
    path
    for path in DOCUMENTS
    if name(path) != MEASURED
    and any(b.language in SHELLS | {"python"} and not b.is_snippet for b in blocks(path))
]
CATALOGUE = "".join(
    f'[[models]]\nid = "{id_}"\nsource = "Paris, on the Seine, says the script."\nbackend = "scripted"\n'
    for id_ in (MODEL, f"{MODEL}:int8")
)
FILES_READERS_HAVE = (".venv/bin/activate", "cert.pem", "key.pem", "store-2026-11-22.jsonl.gz")
SLOW = {f"docs/how-to/{page}.md" for page in ("evaluate-your-data", "load-test", "moderation")}
EVERY_BLOCK = [block for path in DOCUMENTS for block in blocks(path)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve_live(tmp_path_factory.mktemp("served"), ScriptedBackend()) as opened:
        yield opened


def test_every_block_says_its_language() -> None:
    known = SHELLS | PROSE | DATA | {"python", "javascript"}
    assert sorted({(name(b.document), b.language) for b in EVERY_BLOCK if b.language not in known}) == []


@pytest.mark.parametrize(
    "block", [b for b in EVERY_BLOCK if b.language in DATA], ids=lambda b: name(b.document)
)
def test_every_piece_of_data_can_be_read(block: Block, tmp_path: Path) -> None:
    path = tmp_path / f"block.{block.language}"
    path.write_text(block.text)
    match block.language:
        case "json":
            json.loads(block.text)
        case "jsonl":
            for line in block.text.splitlines():
                json.loads(line)
        case "yaml":
            assert yaml.safe_load(block.text)
        case "csv":
            with path.open(newline="") as file:
                assert len({len(row) for row in csv.reader(file)}) == 1
        case "toml" if "[[models]]" in block.text:
            read_catalogue(path)
        case "toml" if "[[candidates]]" in block.text:
            read_experiment(path)
        case "toml":
            tomllib.loads(block.text)


def test_the_rows_that_readers_are_shown_mean_what_is_said_of_them() -> None:
    (block,) = (block for block in EVERY_BLOCK if block.file == "mine.csv")
    rows = read_evaluation_set(block.text.encode(), "mine.csv")
    assert rows.bad_rows == ()
    assert [sample.expected for sample in rows.samples] == [("Paris",), ("Jupiter",), ("8", "eight")]


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, marks=[pytest.mark.slow] if name(path) in SLOW else []) for path in RUN],
    ids=name,
)
def test_programs_and_commands_run(document: Path, server: LiveServer, tmp_path: Path) -> None:
    runner = Programs(tmp_path)
    folder = tmp_path / "reader"
    environment = _environment(folder, server)
    try:
        for block in blocks(document):
            if block.file is not None:
                (folder / block.file).write_text(_here(block.text, server))
            elif block.language == "python" and not block.is_snippet:
                ran = runner.run(_here(block.text, server), "py", WORKBENCH_API_KEY=server.api_key)
                assert ran.exit_code == 0, ran.stderr
            elif block.language in SHELLS and not block.is_snippet:
                _run_shell(_here(block.commands(), server), folder, environment)
    finally:
        runner.close()


def _here(text: str, server: LiveServer) -> str:
    """The block with the test's server in place of the reader's."""
    for origin in ("http://127.0.0.1:7860", "http://localhost:7860"):
        text = text.replace(origin, server.origin)
    text = text.replace("WORKBENCH_API_KEY=wb-...", f"WORKBENCH_API_KEY={server.api_key}")
    return text.replace(EMBEDDED_ID, MODEL)


def _environment(folder: Path, server: LiveServer) -> dict[str, str]:
    for file in FILES_READERS_HAVE:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    home = folder.parent / "home"
    home.mkdir()
    catalogue = folder / "models.toml"
    catalogue.write_text(CATALOGUE)
    shims = install(folder.parent / "commands")
    return {
        "PATH": os.pathsep.join([str(shims), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "WORKBENCH_HOME": str(home / "workbench"),
        "WORKBENCH_MODELS": str(catalogue),
        "WORKBENCH_API_KEY": server.api_key,
        "WORKBENCH_PORT": "0",
        "GPU_ENDPOINT_KEY": "a key of somebody else's",
    }


def _run_shell(commands: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", commands],
        cwd=folder, env=environment, start_new_session=True,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    assert '"error"' not in done.stdout, done.stdout


def test_every_benchmark_that_is_quoted_exists() -> None:
    (document,) = (path for path in DOCUMENTS if name(path) == MEASURED)
    quoted = re.findall(r"(?:-m bench\.|bench/)(\w+)", document.read_text("utf-8"))
    assert quoted
    assert [script for script in quoted if not (ROOT / "bench" / f"{script}.py").is_file()] == []


def test_a_shim_refuses_what_the_project_has_not(tmp_path: Path) -> None:
    shims = install(tmp_path)
    for command in (
        ["make", "nonsense"],
        ["workbench", "serve", "--nonsense"],
        ["pip", "install", ".[nonsense]"],
    ):
        assert command[0] in SHIMMED
        assert (
            subprocess.run([shims / command[0], *command[1:]], capture_output=True, check=False).returncode
            != 0
        )

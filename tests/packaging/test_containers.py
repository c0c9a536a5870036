"""The container files, which no engine builds here: linted, held to the Compose specification and to the project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from workbench.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = (ROOT / "docker" / "compose.yaml", ROOT / "docker" / "compose.cuda.yaml")
SPECIFICATION = ROOT / "tests" / "data" / "compose-spec" / "compose-spec.json"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def stages() -> set[str]:
    return set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE))


def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint for this platform: install it and run the test again")
    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_files_follow_the_specification(path: Path) -> None:
    jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text("utf-8"))).validate(read(path))


def test_what_compose_builds_is_there() -> None:
    for path in COMPOSE:
        build = read(path)["services"]["workbench"]["build"]
        assert build["target"] in stages()
    build = read(COMPOSE[0])["services"]["workbench"]["build"]
    assert ((COMPOSE[0].parent / build["context"]).resolve() / build["dockerfile"]).is_file()


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
        for source in line.split()[:-1]
    }
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert {source for source in copied if not (ROOT / source).exists()} == set()
    assert copied == kept


def test_variables_of_the_containers_are_settings() -> None:
    named = set(
        re.findall(r"WORKBENCH_[A-Z_]+", "".join(path.read_text() for path in (*COMPOSE, DOCKERFILE)))
    )
    assert named <= {f"WORKBENCH_{name.upper()}" for name in Settings.model_fields}
    assert "WORKBENCH_DATABASE_URL" in named


def test_a_volume_that_is_mounted_is_declared() -> None:
    compose = read(COMPOSE[0])
    mounted = {
        mount.partition(":")[0] for service in compose["services"].values() for mount in service["volumes"]
    }
    assert mounted == set(compose["volumes"])

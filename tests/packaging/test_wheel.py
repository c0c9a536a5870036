"""The wheel, built and installed into an environment that has nothing else, and used far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.packaging.served import ANSWER, MODEL, serve

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
PACKAGES = ("workbench", "evaluators", "guard", "snippets", "assets")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not UV.is_file(), reason="no uv beside this Python: scripts/install brings it"),
]


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=_environment(), capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    """This one, with pip's link folders passed on to uv, and nothing that makes Python look into the checkout."""
    variables = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    if links := os.environ.get("PIP_FIND_LINKS"):
        variables.setdefault("UV_FIND_LINKS", ",".join(links.split()))
    return variables


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, venv)
    torch = [] if _environment().get("UV_FIND_LINKS") else ["--torch-backend=cpu"]
    python = venv / "bin" / "python"
    run(
        UV,
        "pip",
        "install",
        "--quiet",
        *torch,
        "--python",
        python,
        "--constraint",
        ROOT / "constraints.txt",
        wheel,
    )
    return venv / "bin"


def test_the_wheel_has_a_free_name_and_every_file_of_its_packages(wheel: Path) -> None:
    assert wheel.name.startswith("model_workbench-")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    listed = run("git", "ls-files", *PACKAGES).splitlines()
    assert sorted(set(listed) - packed) == []
    metadata = {Path(name).name for name in packed if ".dist-info/" in name}
    assert {"LICENSE", "THIRD_PARTY_NOTICES.md"} <= metadata


def test_its_commands_run_far_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert "serve" in run(installed / "workbench", "--help", cwd=tmp_path)
    assert "SmolLM2" in run(installed / "workbench", "models", "list", cwd=tmp_path)
    where = run(
        installed / "python", "-c", "import workbench, assets; print(workbench.__file__)", cwd=tmp_path
    )
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "python" in run(installed / "workbench", "doctor", cwd=tmp_path)


def test_it_serves_page_and_api(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "user"
    folder.mkdir()
    with serve([str(installed / "workbench"), "serve"], folder, _environment()) as served:
        page = httpx.get(served.origin, timeout=60)
        assert page.status_code == 200
        assert "gradio" in page.text
        answer = httpx.post(
            f"{served.origin}/openai/v1/chat/completions",
            headers={"authorization": f"Bearer {served.api_key}"},
            json={"model": MODEL, "messages": [{"role": "user", "content": "Where do you come from?"}]},
            timeout=60,
        )
        assert answer.json()["choices"][0]["message"]["content"] == ANSWER

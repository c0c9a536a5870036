"""The Hugging Face Space: its folder as `scripts/space` makes it, and its entry as a Space runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.packaging.served import MODEL, serve

ROOT = Path(__file__).resolve().parents[2]
HOST = "somebody-workbench.hf.space"
PASSWORD = "the secret of this space"
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("space") / "made"
    subprocess.run([ROOT / "scripts" / "space", made], check=True, capture_output=True)
    return made


def front_matter(folder: Path) -> Any:
    found = re.match(r"---\n(.*?)\n---\n", (folder / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return yaml.safe_load(found[1])


def test_the_front_matter_says_what_runs(folder: Path) -> None:
    about = front_matter(folder)
    assert about["sdk"] == "gradio"
    assert f"gradio=={about['sdk_version']}" in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert (folder / about["app_file"]).is_file()
    assert {about["colorFrom"], about["colorTo"]} <= COLORS
    assert len(about["short_description"]) <= 60


def test_requirements_are_the_projects(folder: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (folder / "requirements.txt").read_text("utf-8").splitlines() == project["dependencies"]


def test_a_folder_with_files_in_it_is_left_alone(folder: Path) -> None:
    assert (
        subprocess.run([ROOT / "scripts" / "space", folder], capture_output=True, check=False).returncode == 2
    )


@pytest.mark.slow
def test_the_entry_serves_page_and_api_to_those_who_log_in(folder: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "SPACE_HOST": HOST,
        "WORKBENCH_ADMIN_PASSWORD": PASSWORD,
    }
    proxied = {"host": HOST, "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}
    with (
        serve([sys.executable, "app.py"], folder, environment) as served,
        httpx.Client(base_url=served.origin, headers=proxied, timeout=60) as browser,
    ):
        assert browser.get("/", headers={"accept": "text/html"}).status_code in (302, 303, 401)
        login = browser.post(
            "/login", data={"name": "admin", "password": PASSWORD}, headers={"origin": f"https://{HOST}"}
        )
        assert login.status_code in (200, 303), login.text
        cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in login.cookies.items())}
        page = browser.get("/", headers=cookie)
        assert page.status_code == 200
        assert "gradio" in page.text
        answer = browser.post(
            "/openai/v1/chat/completions",
            headers={"authorization": f"Bearer {served.api_key}"},
            json={"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]},
        )
        assert answer.status_code == 200
        assert browser.get("/", headers={"host": "elsewhere.example.org"}).status_code == 403

"""`workbench evaluate` and `workbench try`: files, verdict on standard output, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app

RUNNER = CliRunner()
CATALOGUE = """
[[models]]
id = "demo/one"
source = "Hello from a script."
backend = "scripted"
[[models]]
id = "demo/two"
source = "Hello again."
backend = "scripted"
"""
SPEC = """
name = "By file"
candidates = [{model = "demo/one", label = "one"}]
probes = [{name = "own", data = "own.csv", evaluator = "contains"}]
requirements = {quality = {own = LIMIT}}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models.toml").write_text(CATALOGUE)
    (tmp_path / "own.csv").write_text("prompt,expected\n" + "".join(f"Greet {n},Hello\n" for n in range(40)))
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models.toml"))
    return tmp_path


def evaluate(home: Path, limit: str, *options: str) -> tuple[int, str]:
    (home / "spec.toml").write_text(SPEC.replace("LIMIT", limit))
    done = RUNNER.invoke(
        app, ["evaluate", str(home / "spec.toml"), "--out", str(home / "out" / limit), *options]
    )
    return done.exit_code, done.stdout


def test_evaluate_writes_every_file(home: Path) -> None:
    code, said = evaluate(home, "0.5")
    assert code == 0
    assert "one: Go" in said
    written = {path.name for path in (home / "out" / "0.5").iterdir()}
    assert {"report.html", "verdict.json", "samples.jsonl", "requests.jsonl", "manifest.json"} <= written
    assert json.loads((home / "out" / "0.5" / "verdict.json").read_text())["decision"] == "go"


def test_a_no_go_is_exit_code_1_where_it_was_asked_for(home: Path) -> None:
    at_most = "{at_most = 0.5}"
    (home / "out").mkdir()
    assert evaluate(home, at_most)[0] == 0
    code, said = evaluate(home, at_most, "--fail-on-no-go")
    assert code == 1
    assert "No-go" in said


def test_an_unknown_model_is_named_before_anything_is_asked(home: Path) -> None:
    done = RUNNER.invoke(app, ["try", "demo/one", "no/such", "--out", str(home / "out")])
    assert done.exit_code == 1
    assert not (home / "out" / "requests.jsonl").exists()


def test_a_file_that_is_not_there_is_wrong_usage(home: Path) -> None:
    assert RUNNER.invoke(app, ["evaluate", str(home / "none.toml"), "--out", str(home)]).exit_code == 2


def test_the_seven_questions_are_listed_with_their_time(home: Path) -> None:
    done = RUNNER.invoke(app, ["questions"])
    assert done.exit_code == 0
    assert "3 candidates: about" in done.stdout
    for name in ("generation", "tasks", "knowledge", "bias", "robustness", "explainability", "memorization"):
        assert f"\n{name}: " in done.stdout


def test_a_question_is_asked_by_name(home: Path) -> None:
    arguments = [
        "questions",
        "memorization",
        "--model",
        "demo/one",
        "--items",
        "3",
        "--out",
        str(home / "asked"),
    ]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads((home / "asked" / "verdict.json").read_text())["name"] == "Memorization"


def test_an_unknown_question_is_refused(home: Path) -> None:
    done = RUNNER.invoke(app, ["questions", "taste"])
    assert done.exit_code == 1
    assert "Known: generation" in str(done.exception)


def test_a_teams_own_function_judges_on_the_command_line(home: Path) -> None:
    (home / "mine.py").write_text("def score(prompt, answer, expected): return len(answer.split())\n")
    text = SPEC.replace('"contains"', '"python_function", settings = {file = "mine.py"}')
    (home / "spec.toml").write_text(text.replace("LIMIT", "3"))
    done = RUNNER.invoke(app, ["evaluate", str(home / "spec.toml"), "--out", str(home / "out")])
    assert done.exit_code == 0, done.output
    scores = json.loads((home / "out" / "verdict.json").read_text())["candidates"][0]["scores"]
    assert scores["own"]["value"] == 4.0

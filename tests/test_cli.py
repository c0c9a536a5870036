from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
import typer

from workbench.backends.added import AddedModels
from workbench.cli import main
from workbench.cli.doctor import _store
from workbench.cli.keys import duration
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings
from workbench.store import FILE_NAME
from workbench.store.migrations import HEAD
from workbench.store.opening import open_database
from workbench.store.upgrade import upgrade

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in (
        "HOST",
        "PORT",
        "MODELS",
        "DATABASE_URL",
        "LOG_LEVEL",
        "ADMIN_PASSWORD",
        "ADMIN_PASSWORD_FILE",
    ):
        monkeypatch.delenv(f"WORKBENCH_{name}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    yield tmp_path
    structlog.reset_defaults()


class Ran:
    """What a command wrote and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        written = capsys.readouterr()
        return Ran(int(ended.value.code or 0), written.out, written.err)

    return run


def test_a_key_is_made_listed_rotated_and_revoked(run: Run) -> None:
    made = json.loads(run("keys", "create", "--name", "ci", "--expires", "30d", "--json").out)
    assert set(made) == {"id", "key"}
    assert made["key"].startswith("wb-")
    (listed,) = json.loads(run("keys", "list", "--json").out)
    assert (listed["id"], listed["name"], listed["kind"], listed["revoked"]) == (
        made["id"],
        "ci",
        "inference",
        None,
    )
    assert listed["expires"] > listed["created"]
    rotated = json.loads(run("keys", "rotate", made["id"], "--grace", "1h", "--json").out)
    assert rotated["id"] == made["id"]
    assert rotated["key"] != made["key"]
    assert run("keys", "revoke", made["id"]).code == 0
    assert json.loads(run("keys", "list", "--json").out)[0]["revoked"] is not None


def test_only_create_and_rotate_show_a_key(run: Run) -> None:
    made = run("keys", "create", "--name", "ci", "--kind", "admin")
    key_id, key = made.out.split()
    for arguments in (("keys", "list"), ("keys", "list", "--json"), ("keys", "revoke", key_id)):
        ran = run(*arguments)
        assert key_id in ran.out + ran.err
        assert "wb-" not in ran.out + ran.err
    assert key.startswith("wb-")
    assert "wb-" not in made.err


def test_an_unknown_key_is_an_error_with_the_cure(run: Run) -> None:
    for verb in ("revoke", "rotate"):
        ran = run("keys", verb, "key_nowhere")
        assert (ran.code, ran.out) == (1, "")
        assert "workbench keys list" in ran.err


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30d", timedelta(days=30)),
        ("24h", timedelta(hours=24)),
        ("90m", timedelta(minutes=90)),
        ("2w", timedelta(14)),
    ],
)
def test_spans_are_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5h", "1y", "999999999w", "10 d d"])
def test_any_other_span_is_wrong_usage(text: str, run: Run) -> None:
    with pytest.raises(typer.BadParameter):
        duration(text)
    assert run("keys", "create", "--name", "x", f"--expires={text}").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create"),
        ("serve", "--port", "many"),
        ("serve", "--port", "70000"),
        ("nonsense",),
        ("models", "pull"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize("command", [(), ("serve",), ("keys",), ("keys", "create"), ("models",), ("doctor",)])
def test_every_command_has_help(run: Run, command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out


def test_the_catalogue_is_listed(run: Run, home: Path) -> None:
    catalogue = home / "models.toml"
    catalogue.write_text(
        '[[models]]\nid = "a/b"\nsource = "x"\nbackend = "scripted"\nprice_per_million_tokens = 2\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_MODELS", str(catalogue))
        (card,) = json.loads(run("models", "list", "--json").out)
        assert (card["id"], card["price_per_million_tokens"]) == ("a/b", 2.0)
        assert "a/b" in run("models", "list").out


def test_models_that_were_added_on_the_page_are_listed(run: Run, home: Path) -> None:
    AddedModels(home).add(ModelCard(id="added/model", source="added/model"))
    ids = [card["id"] for card in json.loads(run("models", "list", "--json").out)]
    assert ids[-1] == "added/model"


def test_only_embedded_models_can_be_pulled(run: Run) -> None:
    assert run("models", "pull", "no/such").code == 1


def test_a_busy_port_is_one_line_that_names_the_cure(run: Run) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.strip().splitlines()) == 1
    assert str(port) in ran.err
    assert "--port" in ran.err


def test_an_account_is_made_and_listed(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / "password").write_text("from a secret file\n")
    monkeypatch.setenv("WORKBENCH_ADMIN_PASSWORD_FILE", str(home / "password"))
    assert run("users", "create", "Ada", "--admin").code == 0
    (listed,) = json.loads(run("users", "list", "--json").out)
    assert (listed["name"], listed["role"], listed["last_login"]) == ("ada", "admin", None)
    assert "ada" in run("users", "list").out
    again = run("users", "create", "ADA", "--admin")
    assert (again.code, "already" in again.err) == (1, True)


def test_a_password_too_short_makes_no_account(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_ADMIN_PASSWORD", "short")
    assert run("users", "create", "ada", "--admin").code == 1
    assert json.loads(run("users", "list", "--json").out) == []


def test_plain_http_off_this_machine_is_refused_unless_it_is_meant(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ADMIN_PASSWORD", "long enough for one")
    run("users", "create", "ada", "--admin")
    refused = run("serve", "--host", "0.0.0.0")
    assert (refused.code, "--insecure" in refused.err) == (1, True)
    meant = run("serve", "--host", "0.0.0.0", "--insecure", "--models", "nowhere.toml")
    assert (meant.code, "nowhere.toml" in meant.err) == (1, True)


def test_a_key_belongs_to_an_account_that_exists(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_ADMIN_PASSWORD", "long enough for one")
    run("users", "create", "ada", "--admin")
    assert run("keys", "create", "--name", "hers", "--account", "Ada").code == 0
    nobodys = run("keys", "create", "--name", "nobody's", "--account", "bob")
    assert (nobodys.code, "workbench users list" in nobodys.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (("--host", "0.0.0.0"), {}, "workbench users create"),
        (("--model", "./nothing-here"), {}, "no such folder"),
        (("--models", "nowhere.toml"), {}, "nowhere.toml"),
        ((), {"WORKBENCH_PORT": "many"}, "WORKBENCH_PORT"),
        ((), {"WORKBENCH_LOG_LEVEL": "loud"}, "WORKBENCH_LOG_LEVEL"),
    ],
)
def test_what_cannot_be_served_is_one_line_that_names_the_cure(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    expected: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = run("serve", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert expected in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_a_broken_catalogue_is_one_line_that_names_it(run: Run, home: Path) -> None:
    catalogue = home / "models.toml"
    catalogue.write_text("[[models]\n")
    ran = run("serve", "--models", str(catalogue))
    assert ran.code == 1
    assert str(catalogue) in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_doctor_says_what_there_is(run: Run) -> None:
    ran = run("doctor")
    for name in (
        "python",
        "memory",
        "accelerator",
        "home",
        "disk",
        "store",
        "catalogue",
        "free memory",
        "kv cache",
        "would fit",
        "port",
    ):
        assert name in ran.out


def test_doctor_names_what_is_wrong_with_the_catalogue(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models.toml").write_text("models = 5")
    monkeypatch.setenv("WORKBENCH_MODELS", str(home / "models.toml"))
    ran = run("doctor")
    assert ran.code == 1
    assert "models.toml has no [[models]] table" in ran.out


def test_doctor_names_a_home_that_is_no_folder(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("WORKBENCH_HOME", str(home / "file" / "inside"))
    ran = run("doctor")
    assert ran.code == 1
    assert "is a file. Point WORKBENCH_HOME elsewhere." in ran.out


def test_doctor_says_how_old_the_store_is_and_leaves_it_so(home: Path) -> None:
    def told() -> str:
        return _store(Settings(home=home)).value

    assert told() == "none yet; the first start makes it"
    assert _store(Settings(home=home, database_url=f"sqlite:///{home}/x.db")).is_fine
    assert list(home.iterdir()) == []
    asyncio.run(_bring_to(home, "0001"))
    assert told() == f"version 0001; the next start makes it {HEAD}"
    asyncio.run(_bring_to(home, HEAD))
    assert told() == f"version {HEAD}"


def test_doctor_names_a_store_that_cannot_be_used(home: Path) -> None:
    unreachable = "postgresql://user:secret@127.0.0.1:1/none"
    for settings in (
        Settings(home=home, database_url=unreachable),
        Settings(home=home, database_url="mysql://host/name"),
    ):
        found = _store(settings)
        assert not found.is_fine
        assert found.cure
        assert "secret" not in found.cure


async def _bring_to(home: Path, version: str) -> None:
    database = open_database(home / FILE_NAME)
    await upgrade(database, version)
    await database.close()


def test_commands_import_no_library_that_they_do_not_use() -> None:
    code = (
        "import sys; from workbench.cli import main\n"
        "try: main(['models', 'list'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'gradio', 'fastapi', 'transformers', 'sqlalchemy') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.splitlines()[-1] == "[]"

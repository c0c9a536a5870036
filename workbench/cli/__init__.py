"""The command line: `workbench COMMAND`, a file a group of commands.

Exit codes: 0 done, 1 the run failed, 2 wrong usage. Data goes to standard output, everything else to standard error.
Every command imports what it needs when it runs, so that none waits for libraries it does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from workbench.cli import (
    cluster,
    doctor,
    evaluate,
    guard,
    harness,
    keys,
    load,
    models,
    questions,
    serve,
    transfer,
    try_,
    users,
)
from workbench.core.errors import WorkbenchError

app = typer.Typer(
    name="workbench",
    help="Find out whether an open language model is good, fast, safe and cheap enough.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("try")(try_.try_)
app.command("evaluate")(evaluate.evaluate)
app.command("questions")(questions.questions)
app.command("load")(load.load)
app.command("harness")(harness.harness)
app.command("doctor")(doctor.doctor)
app.command("export")(transfer.export)
app.command("import")(transfer.import_)
app.add_typer(cluster.app, name="cluster")
app.add_typer(guard.app, name="guard")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(users.app, name="users")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    try:
        app(args=arguments)
    except WorkbenchError as failure:
        sys.stderr.write(f"Error: {failure.message}\n")
        raise SystemExit(1) from None

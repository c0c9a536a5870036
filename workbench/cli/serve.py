"""`workbench serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.core.settings import read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. [default: 7860]")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="The catalogue, a models.toml.", metavar="FILE")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model to put first: hub id, folder or GGUF file. Repeatable.", metavar="ID_OR_PATH"
        ),
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="The address users see.", metavar="URL")] = None,
    ssl_certfile: Annotated[Path | None, typer.Option(help="TLS certificate, PEM.", exists=True)] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(help="Its private key, PEM.", exists=True)] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Plain HTTP is meant, off this machine too.")
    ] = False,
) -> None:
    """Serve the page and the API.

    The environment sets the same and more: WORKBENCH_HOME, WORKBENCH_HOST, WORKBENCH_PORT, WORKBENCH_MODELS,
    WORKBENCH_DATABASE_URL, WORKBENCH_GUARD, WORKBENCH_MAX_CONCURRENCY, WORKBENCH_QUEUE_SIZE,
    WORKBENCH_QUEUE_TIMEOUT, WORKBENCH_SHUTDOWN_GRACE, WORKBENCH_ROOT_PATH, WORKBENCH_TRUSTED_PROXIES,
    WORKBENCH_PUBLIC_URL, WORKBENCH_ALLOWED_HOSTS, WORKBENCH_CORS_ORIGINS, WORKBENCH_LOG_LEVEL,
    WORKBENCH_ADMIN_PASSWORD (or WORKBENCH_ADMIN_PASSWORD_FILE).
    """
    if (ssl_certfile is None) != (ssl_keyfile is None):
        raise typer.BadParameter("--ssl-certfile and --ssl-keyfile go together.")
    settings = read_settings(host=host, port=port, models=models, public_url=public_url)
    from workbench import server

    server.serve(settings, tuple(model or ()), server.Transport(ssl_certfile, ssl_keyfile, insecure))

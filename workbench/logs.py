"""Logs: our own at the level that was set, everybody else's at WARNING, all on standard error.

Nothing that came in a request is logged, so third-party loggers stay quiet whatever the level: some print bodies
when they debug.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog

from workbench.core.errors import ConfigurationError

OUR_PACKAGES = ("workbench", "evaluators", "guard", "snippets")

log = structlog.get_logger(__name__)


def configure_logs(level: str) -> None:
    """Sets all loggers up. Raises: ConfigurationError for a level that is none."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ConfigurationError(
            f"WORKBENCH_LOG_LEVEL: {level!r} is no level. Use DEBUG, INFO, WARNING or ERROR."
        )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(number)


def log_loop_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An event loop's exception handler that names the error's type and leaves its text out."""
    failure = context.get("exception")
    log.error("error outside any request", kind=type(failure).__name__, what=context.get("message", ""))

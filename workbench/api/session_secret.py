"""The secret that signs sessions, kept in the home folder so that nobody is logged out by a restart."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from workbench.core.errors import ConfigurationError

FILE_NAME = "session.secret"
_BYTES = 32


def session_secret(home: Path) -> bytes:
    """The secret, made at the first call, readable for its owner alone.

    Raises: ConfigurationError when it can be neither read nor made.
    """
    file = home / FILE_NAME
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            secret = file.read_bytes()
        else:
            secret = secrets.token_bytes(_BYTES)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(secret)
    except OSError as failure:
        raise ConfigurationError(
            f"The file {file} cannot be used: {failure.strerror}. Make WORKBENCH_HOME writable."
        ) from failure
    if len(secret) != _BYTES:
        raise ConfigurationError(f"The file {file} is damaged. Delete it; everybody then logs in anew.")
    return secret

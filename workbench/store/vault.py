"""Texts that must be read again, such as keys of remote endpoints, encrypted by a key outside the database.

Covered: a copy of the database alone tells nothing. Not covered: who may read the home folder reads the secrets, too.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from workbench.core.errors import ConfigurationError

FILE_NAME = "secrets.key"


class Vault:
    """Encrypts and decrypts with Fernet (AES-128-CBC and HMAC-SHA256); makes its key file when it is first needed."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME

    @property
    def has_key(self) -> bool:
        """False as long as nothing was ever encrypted here."""
        return self._path.exists()

    def encrypt(self, text: str) -> bytes:
        """The ciphertext. Raises: ConfigurationError when the key file cannot be read or made."""
        return self._fernet(may_make=True).encrypt(text.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        """The text. Raises: ConfigurationError when the key file is missing or another one."""
        try:
            return self._fernet(may_make=False).decrypt(ciphertext).decode()
        except InvalidToken as failure:
            raise ConfigurationError(
                f"{self._path} is not the key that stored secrets were encrypted with. Put the right file there, or "
                "set the secrets again."
            ) from failure

    def _fernet(self, *, may_make: bool) -> Fernet:
        try:
            if may_make:
                self._make_once()
            return Fernet(self._path.read_bytes().strip())
        except (OSError, ValueError) as failure:
            raise ConfigurationError(
                f"{self._path} cannot be used: {type(failure).__name__}. It holds the key to stored secrets: put it "
                "back from a backup, or remove it and set the secrets again."
            ) from failure

    def _make_once(self) -> None:
        """Makes the file, readable by its owner alone, unless it is there: two processes may try at once."""
        if self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{FILE_NAME}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
        try:
            # A link is made whole or not at all, and never over a file that is there.
            os.link(draft, self._path)
        except FileExistsError:
            return
        finally:
            draft.unlink()

"""Settings from the environment, read once at the top of the process and handed down."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workbench.core.errors import ConfigurationError


def default_home() -> Path:
    """The platform's user data folder for Workbench."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "workbench"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "workbench"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "workbench"


class Settings(BaseSettings):
    """Everything an operator can set; each field is the environment variable WORKBENCH_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="WORKBENCH_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home, description="State: database, converted weights.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=7860, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    models: Path | None = Field(default=None, description="Path of the catalogue, models.toml.")
    database_url: str | None = Field(
        default=None, description="SQLite under the home folder, or a PostgreSQL URL."
    )
    guard: str | None = Field(default=None, description="Name of the guard every chat goes through, or off.")
    max_concurrency: int | None = Field(
        default=None,
        ge=1,
        description="Choices generating at once over all keys; default what the engine can hold.",
    )
    queue_size: int = Field(default=32, ge=0, description="Calls that may wait for a place.")
    queue_timeout: float = Field(default=20.0, ge=0, description="Longest wait for a place, in seconds.")
    root_path: str = Field(default="", description="Path prefix a reverse proxy serves Workbench under.")
    public_url: str | None = Field(
        default=None, description="The address users see; snippets and links use it."
    )
    trusted_proxies: str = Field(
        default="", description="Comma-separated addresses whose X-Forwarded-* are believed."
    )
    allowed_hosts: str = Field(
        default="", description="Comma-separated Host names to answer besides localhost."
    )
    cors_origins: str = Field(
        default="", description="Comma-separated origins whose pages may call the API with a key."
    )
    shutdown_grace: float = Field(
        default=5.0,
        ge=0,
        description="How long answers that run may go on once the server stops, in seconds.",
    )
    log_level: str = Field(default="INFO", description="Level of Workbench's own loggers.")
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest request body, in bytes."
    )
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the first admin, where nobody can type it."
    )
    admin_password_file: Path | None = Field(default=None, description="A file that holds it.")
    torch_threads: int | None = Field(
        default=None, ge=1, description="CPU threads of the engine; default all cores."
    )
    compile: bool = Field(
        default=True,
        description="Whether layers are compiled for this processor where it has a C++ compiler (g++).",
    )
    kv_cache_bytes: int | None = Field(
        default=None,
        ge=1,
        description="Memory for the KV caches of all models; default a share of what is free.",
    )
    prefix_idle_seconds: float = Field(
        default=300.0, ge=0, description="How long an unused prompt prefix is kept."
    )

    @property
    def allowed_host_names(self) -> frozenset[str]:
        """`allowed_hosts` as a set of lower-case names."""
        return _names(self.allowed_hosts)

    @property
    def cors_origin_names(self) -> frozenset[str]:
        """`cors_origins` as a set of lower-case origins."""
        return _names(self.cors_origins)

    def read_admin_password(self) -> str | None:
        """The password that was set for the first admin, itself or in a file; None when none was.

        Raises: ConfigurationError when the file cannot be read.
        """
        if self.admin_password is not None:
            return self.admin_password.get_secret_value()
        if self.admin_password_file is None:
            return None
        try:
            return self.admin_password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as failure:
            raise ConfigurationError(
                f"WORKBENCH_ADMIN_PASSWORD_FILE: {self.admin_password_file} cannot be read. "
                "Name a text file that this user may read."
            ) from failure

    @property
    def base_url(self) -> str:
        """Where a browser on this machine, or the public address behind a proxy, reaches the page."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - binds nothing
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{self.root_path.rstrip('/')}"


def _names(listed: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in listed.split(",") if name.strip())


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment, with `overrides` (from the command line) on top; None overrides nothing.

    Raises: ConfigurationError naming the variable at fault.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as failure:
        first = failure.errors()[0]
        name = f"WORKBENCH_{first['loc'][0]}".upper()
        raise ConfigurationError(f"{name}: {first['msg']}. Correct the variable or unset it.") from None

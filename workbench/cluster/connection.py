"""Which Ray this machine's processes talk to, and the one that `workbench cluster up` starts."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from workbench.core.errors import ConfigurationError, Unavailable

FILE_NAME = "cluster.address"
"""In the home folder: where the Ray is that `workbench cluster up` has started."""
TOKEN = Path.home() / ".ray" / "auth_token"
"""Where Ray keeps what its ports ask for."""
_PATIENCE_SECONDS = 7 * 86400
"""How long a process that joined may live without its cluster: Ray ends it after a minute otherwise."""
_OBJECT_STORE_BYTES = 150 * 2**20


def require_ray() -> None:
    """Raises: ConfigurationError naming the extra when Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise ConfigurationError("Ray is not installed: pip install 'model-workbench[ray]'.")


def start(home: Path, address: str | None) -> None:
    """Joins the Ray at `address`, or starts one on this machine, and notes where it is.

    Ray's own ports ask for the token in ~/.ray/auth_token, which it makes.

    Raises: Unavailable when Ray does not come up.
    """
    require_ray()
    _set_up(is_joining=address is not None)
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "WARNING"}
    options |= (
        {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        if address is None
        else {"address": address}
    )
    try:
        made = ray.init(**options)
    except (
        Exception
    ) as failure:  # Ray has nothing narrower for "timed out during startup", which takes it 30 s
        raise Unavailable(f"Ray did not start ({failure}) If this machine is busy, try again.") from failure
    address = address or str(made.address_info["gcs_address"])
    home.mkdir(parents=True, exist_ok=True)
    (home / FILE_NAME).write_text(address, encoding="utf-8")


def forget(home: Path) -> None:
    """Takes the note away."""
    (home / FILE_NAME).unlink(missing_ok=True)


def join(home: Path) -> None:
    """Connects this process: to RAY_ADDRESS, else to what was noted. Raises: Unavailable when there is none."""
    require_ray()
    _set_up(is_joining=True)
    import ray

    if ray.is_initialized():
        return
    noted = home / FILE_NAME
    address = os.environ.get("RAY_ADDRESS") or (noted.read_text("utf-8") if noted.exists() else None)
    if address is None:
        raise Unavailable("No cluster is up. Start it with `workbench cluster up`, or set RAY_ADDRESS.")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="WARNING")
    except (ConnectionError, RuntimeError, ValueError) as failure:
        raise Unavailable(f"The cluster cannot be reached ({type(failure).__name__}). Is it up?") from failure


def leave() -> None:
    """Ends this process's connection; the cluster goes on."""
    import ray

    ray.shutdown()


def _set_up(*, is_joining: bool) -> None:
    """What Ray reads from the environment when it is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_SERVE_LOG_TO_STDERR", "0")
    # A front door whose cluster has gone must not start a Ray of its own, which the next call on a handle would do.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    if not is_joining:
        return
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(_PATIENCE_SECONDS))
    if TOKEN.exists():
        # The one who starts a Ray makes the token; the one who joins must be told to show it.
        os.environ.setdefault("RAY_AUTH_MODE", "token")

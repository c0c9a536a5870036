"""Workbench as a Hugging Face Space: everybody logs in, and the Space's proxy has the certificate."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.cli import main

PERSISTENT = Path("/data")
"""Where a Space keeps files over restarts, if its owner pays for that."""

if __name__ == "__main__":
    host = os.environ["SPACE_HOST"]
    os.environ.setdefault("WORKBENCH_ALLOWED_HOSTS", host)
    # Nothing but the Space's own proxy reaches the container.
    os.environ.setdefault("WORKBENCH_TRUSTED_PROXIES", "*")
    if PERSISTENT.is_dir():
        os.environ.setdefault("WORKBENCH_HOME", str(PERSISTENT / "workbench"))
    main(["serve", "--host", "0.0.0.0", "--insecure", "--public-url", f"https://{host}"])  # noqa: S104

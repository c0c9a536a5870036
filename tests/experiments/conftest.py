"""What a module's own `home`, the folder of a finished experiment, holds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def samples(home: Path) -> pd.DataFrame:
    """The stored rows."""
    return pd.read_json(home / "samples.jsonl", lines=True)

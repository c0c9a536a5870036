"""Reading server-sent events in tests."""

from __future__ import annotations

import json
from typing import Any


def read_events(text: str) -> list[dict[str, Any]]:
    """The JSON of every event of a finished stream, whose last one must be `[DONE]`."""
    blocks = text.split("\n\n")
    assert blocks.pop() == ""
    data = [block.removeprefix("data: ") for block in blocks if not block.startswith(":")]
    assert data.pop() == "[DONE]"
    return [json.loads(item) for item in data]

"""What this server's clock says of a call, for those who ask by `x_timing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workbench.telemetry import Watch


class TimingReport:
    """The watches of a call's prompts, in their order: the feed starts their streams one after another."""

    def __init__(self) -> None:
        self._watches: list[Watch] = []

    def watch(self, watch: Watch) -> None:
        """The next prompt is on its way."""
        self._watches.append(watch)

    def answer(self) -> Mapping[str, Any]:
        """The times until this moment, in seconds: of the one prompt, or of each."""
        reports = [asdict(watch.times()) for watch in self._watches]
        return reports[0] if len(reports) == 1 else {"prompts": reports}

"""Scores of lm-evaluation-harness that count in an experiment."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class HarnessSpec(BaseModel):
    """One metric of one task, from folders that `workbench harness` has filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    """What requirements call it, as they call a probe."""
    task: str
    """As lm-evaluation-harness knows it."""
    metric: str = "acc"
    """One of the task's that every item has; `workbench harness` lists them."""
    folders: dict[str, str] = Field(min_length=1)
    """For each candidate's name the folder that `--out` named; a candidate without one has no score."""
    is_higher_better: bool = True
    """Whether more of the metric is better."""

    @property
    def title(self) -> str:
        """What tables call it."""
        return f"{self.task}, {self.metric}"

    @property
    def evaluator(self) -> str:
        """What its rows say they were judged by."""
        return f"lm-evaluation-harness: {self.metric}"

    def beside(self, folder: Path) -> HarnessSpec:
        """The same with the folders that lie in `folder` made absolute."""
        found = {
            name: str((folder / path).resolve()) if (folder / path).is_dir() else path
            for name, path in self.folders.items()
        }
        return self.model_copy(update={"folders": found})

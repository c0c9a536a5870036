"""The evaluation sets that come with Workbench."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from pydantic import ConfigDict, TypeAdapter

from evaluators.base import Sample
from evaluators.data.evaluation_set import EvaluationSet, read_evaluation_set
from workbench.core.errors import NotFound

_FOLDER = files("assets").joinpath("probes")


@dataclass(frozen=True, slots=True)
class BuiltinSet:
    """One table of `assets/probes/catalogue.toml`: what the set is, where it is from and what to mind."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: str
    summary: str
    file: str
    """Under `assets/probes`."""
    source: str
    licence: str
    """An SPDX name."""
    licence_file: str
    rows: int
    caution: str = ""
    """What to say beside every score from this set."""
    likelihood_prompt: str = "{prompt}"
    separator: str = ""

    def as_continuation(self, sample: Sample) -> Sample:
        """The sample with its prompt as it is put when choices are compared by log-likelihood."""
        return replace(sample, prompt=self.likelihood_prompt.replace("{prompt}", sample.prompt))


@cache
def builtin_sets() -> dict[str, BuiltinSet]:
    """Every set by name, in the catalogue's order."""
    text = _FOLDER.joinpath("catalogue.toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, BuiltinSet]).validate_python(tomllib.loads(text))


def load_builtin(name: str) -> EvaluationSet:
    """The named set's samples.

    Raises: NotFound listing the known names when it is not among them.
    """
    found = builtin_sets().get(name)
    if found is None:
        raise NotFound(
            f"There is no built-in set of this name. Known: {', '.join(builtin_sets())}.", param="data"
        )
    loaded = read_evaluation_set(_FOLDER.joinpath(found.file).read_bytes(), found.file)
    return replace(loaded, name=name)


def licence_text(name: str) -> str:
    """The licence or notice the named set came with.

    Raises: KeyError for an unknown name.
    """
    return _FOLDER.joinpath(builtin_sets()[name].licence_file).read_text(encoding="utf-8")

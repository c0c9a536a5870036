"""What an experiment asks: candidates, data, evaluators, load and requirements; also a TOML file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from evaluators.base import Need
from evaluators.perturbation import Perturbation
from evaluators.requirements import Metric, Requirement, parse_requirements
from evaluators.spec import open_evaluator
from workbench.core.errors import ConfigurationError
from workbench.core.params import GenerationParams
from workbench.experiments.spec.harness import HarnessSpec
from workbench.experiments.spec.load import LoadSpec, UnderLoadSpec

MOST_CANDIDATES = 4
CODE_EVALUATOR, CODE_SETTING = "python_function", "file"
"""The one evaluator that runs a team's own code, and its setting that says which."""

SAFETY_EVALUATORS = {Metric.UNSAFE_RATE: "unsafe_answer", Metric.OVER_REFUSAL_RATE: "over_refusal"}
"""Which evaluator measures a requirement on safety."""


class Mode(StrEnum):
    """Whether candidates have the machine to themselves while they are timed; never mixed in one table."""

    ISOLATED = "isolated"
    """One after another: latencies are the candidate's own."""
    CONTENDED = "contended"
    """Load tests at the same time: latencies show how candidates disturb each other."""


def _file_name(text: str) -> str:
    if not text or text != Path(text).name or text.startswith("."):
        raise ValueError("a name has no slashes and does not begin with a dot")
    return text


FileName = Annotated[str, AfterValidator(_file_name), Field(max_length=80)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CandidateSpec(_Part):
    """One contestant: a catalogue entry with parameters and a system prompt."""

    model: str
    label: str = ""
    """What tables call it; the model's id where empty."""
    system: str = ""
    parameters: GenerationParams = GenerationParams()

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.label or self.model


class ProbeSpec(_Part):
    """A set of items and how answers to them are judged."""

    name: FileName
    data: str
    """A built-in set, or a CSV, JSONL or Parquet file."""
    evaluator: str
    settings: dict[str, JsonValue] = {}
    limit: int | None = Field(default=None, ge=1)
    """Items taken, drawn by the experiment's seed; None takes all."""
    most_choices: int | None = Field(default=None, ge=2)
    """Choices kept of each item, the right ones always; None keeps all."""
    max_tokens: int = Field(default=64, ge=1)
    """Length of an answer where one is written; nothing is written where choices are compared."""
    tags: tuple[str, ...] = ()
    """Only items with one of these tags; empty takes all."""
    perturbation: Perturbation | None = None
    """How the items are asked differently."""
    question: str = ""
    """Which of the seven questions the probe answers a part of; empty for a probe of one's own."""
    baseline: str = ""
    """Another probe: what matters is this one's score minus that one's, for the same candidate."""
    answers_of: str = ""
    """Another probe whose answers are judged once more, by this evaluator; nothing is asked again."""

    @property
    def asks(self) -> tuple[object, ...]:
        """What decides which items are asked, and how."""
        return self.data, self.limit, self.most_choices, self.tags, self.perturbation


class JudgeSpec(_Part):
    """Who judges answers for evaluators that need a judge, and for pairwise judgements."""

    model: str
    pairwise: tuple[str, ...] = ()
    """Probes whose answers are compared in pairs of candidates."""
    max_tokens: int = Field(default=300, ge=16)


class Experiment(_Part):
    """Everything that decides what is asked, so that the same file asks the same again."""

    name: str = Field(default="Experiment", min_length=1, max_length=200)
    candidates: tuple[CandidateSpec, ...] = Field(min_length=1, max_length=MOST_CANDIDATES)
    probes: tuple[ProbeSpec, ...] = ()
    load: LoadSpec | None = None
    under_load: UnderLoadSpec | None = None
    """Whether answers stay the same when many are asked at once."""
    judge: JudgeSpec | None = None
    harness: tuple[HarnessSpec, ...] = ()
    """Scores of lm-evaluation-harness, brought in from its files; requirements name them as they name probes."""
    requirements: dict[str, JsonValue] = {}
    repeats: int = Field(default=1, ge=1, le=50)
    seed: int = Field(default=0, ge=0)
    mode: Mode = Mode.ISOLATED
    concurrency: int | None = Field(default=None, ge=1, le=256)
    """Items asked at once outside of load tests; None keeps the engine full."""
    machine_price_per_hour: float | None = Field(default=None, ge=0)
    """Of the machine this runs on; without it costs are in machine-hours."""
    hosted: str = ""
    """What a hosted endpoint would cost is set beside it: "provider/model", as genai-prices knows it."""

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        for what, names in (
            ("candidates", [candidate.name for candidate in self.candidates]),
            ("probes", list(self.scored_names)),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} have the same name; give each a label of its own")
        if not self.scored_names and self.load is None:
            raise ValueError("there is nothing to do: name probes, a load, or both")
        known = {candidate.name for candidate in self.candidates}
        for task in self.harness:
            if not known.issuperset(task.folders):
                raise ValueError(f"{task.name} has a folder of somebody who is no candidate")
        for asked in self.parsed_requirements:
            if asked.subject and asked.subject not in self.scored_names:
                raise ValueError(f"the quality requirement {asked.subject!r} names no probe")
            if asked.metric in SAFETY_EVALUATORS:
                self.safety_probe(asked.metric)
        if self.under_load is not None and self.under_load.probe not in {probe.name for probe in self.probes}:
            raise ValueError(f"quality under load: {self.under_load.probe!r} names no probe")
        check_probes(self.probes, self.judge)
        return self

    @property
    def scored_names(self) -> tuple[str, ...]:
        """Everything that gives scores: probes, and the harness's."""
        return (*(probe.name for probe in self.probes), *(task.name for task in self.harness))

    def safety_probe(self, metric: Metric) -> str:
        """The name of the probe that measures this requirement on safety.

        Raises: ValueError unless there is exactly one.
        """
        evaluator = SAFETY_EVALUATORS[metric]
        names = [probe.name for probe in self.probes if probe.evaluator == evaluator]
        if len(names) != 1:
            raise ValueError(
                f"the requirement {metric} needs one probe judged by {evaluator}, not {len(names)}"
            )
        return names[0]

    @property
    def parsed_requirements(self) -> tuple[Requirement, ...]:
        """The requirements sheet. Raises: ConfigurationError."""
        return parse_requirements(self.requirements)

    def as_json(self) -> dict[str, Any]:
        """The whole specification as plain JSON, defaults included."""
        return self.model_dump(mode="json")

    @property
    def sha256(self) -> str:
        """A hash of all that decides what is asked: an interrupted run goes on only under the same one."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


def check_probes(probes: Sequence[ProbeSpec], judge: JudgeSpec | None) -> None:
    """Nothing, where every probe refers to probes that can give what it takes from them.

    Raises: ValueError naming the probe at fault.
    """
    by_name = {probe.name: probe for probe in probes}
    for probe in probes:
        base, source = by_name.get(probe.baseline), by_name.get(probe.answers_of)
        if probe.baseline and (base is None or base.evaluator != probe.evaluator):
            raise ValueError(f"the baseline of {probe.name} is no probe with the same evaluator")
        if probe.answers_of and (source is None or source.answers_of or source.asks != probe.asks):
            raise ValueError(f"{probe.name} judges answers of a probe that does not ask the same items")
        if open_evaluator(probe.evaluator, probe.settings).needs is Need.JUDGEMENT and judge is None:
            raise ValueError(f"{probe.name} needs a judge, and the experiment names none")
    for name in () if judge is None else judge.pairwise:
        if name not in by_name:
            raise ValueError(f"the judge is to compare answers of {name!r}, which is no probe")


def parse_experiment(table: dict[str, Any], where: str = "the experiment") -> Experiment:
    """The experiment of a parsed file.

    Raises: ConfigurationError naming the entry at fault.
    """
    try:
        return Experiment.model_validate(table)
    except ValidationError as failure:
        first = failure.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ConfigurationError(f"{where}: {place}: {first['msg']}.") from None


def read_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file, or the one a manifest.json repeats.

    Data files are looked for beside the file. Raises: ConfigurationError.
    """
    try:
        text = path.read_text("utf-8")
        table = json.loads(text)["experiment"] if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(f"{path} cannot be read.") from failure
    except (ValueError, KeyError, TypeError) as failure:
        raise ConfigurationError(f"{path} is neither TOML nor a manifest.json of an experiment.") from failure
    experiment = parse_experiment(table, str(path))
    probes = tuple(_beside(probe, path.parent) for probe in experiment.probes)
    harness = tuple(task.beside(path.parent) for task in experiment.harness)
    return experiment.model_copy(update={"probes": probes, "harness": harness})


def _beside(probe: ProbeSpec, folder: Path) -> ProbeSpec:
    """The probe with its data file and its Python file made absolute, when they are beside the experiment's file."""
    found, kept = folder / probe.data, folder / "data" / f"{probe.name}.jsonl"
    is_lost = bool(found.suffix) and not found.is_file() and probe.perturbation is None
    # A manifest outlives the file that it was made from: its folder has kept what was asked.
    data = kept if is_lost and kept.is_file() else found
    update: dict[str, Any] = {"data": str(data.resolve())} if data.is_file() else {}
    code = probe.settings.get(CODE_SETTING)
    if probe.evaluator == CODE_EVALUATOR and isinstance(code, str) and (folder / code).is_file():
        update["settings"] = {**probe.settings, CODE_SETTING: str((folder / code).resolve())}
    return probe.model_copy(update=update)

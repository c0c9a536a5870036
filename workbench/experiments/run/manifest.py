"""What makes an experiment repeatable: who was asked what, with which weights, on which machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from evaluators.spec import evaluator_settings
from workbench.core.backend import ModelCard, ModelInfo
from workbench.core.errors import ConfigurationError
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import RequestKind, SampleRow
from workbench.experiments.run.calls import Reply
from workbench.experiments.run.harness_rows import about_harness
from workbench.experiments.run.machine import describe_machine, describe_versions
from workbench.experiments.spec.experiment import CandidateSpec, Experiment, parse_experiment
from workbench.experiments.spec.harness import HarnessSpec
from workbench.experiments.spec.probe import Probe

FORMAT = 1
RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"
"""States of a run. A manifest that says "running" while nothing runs was left by a process that died."""


class ManifestWriter:
    """Keeps manifest.json up to date while an experiment runs.

    Raises: ConfigurationError when the folder holds another experiment's rows.
    """

    def __init__(
        self, folder: ExperimentFolder, experiment: Experiment, probes: Sequence[Probe], account: str
    ) -> None:
        self._folder = folder
        found = folder.read_manifest()
        # Compared as read, not by hash: a field that a later version adds with a default is no other experiment.
        if found is not None and parse_experiment(found["experiment"]) != experiment:
            raise ConfigurationError(
                f"{folder.path} holds another experiment. Choose an empty folder, or the file it was made from."
            )
        self._manifest: dict[str, Any] = found or {
            "format": FORMAT,
            "experiment": experiment.as_json(),
            "experiment_sha256": experiment.sha256,
            "account": account,
            "began_at": _now(),
            "candidates": {},
        }
        self._manifest |= {
            "machine": describe_machine(),
            "versions": describe_versions(),
            "probes": _probes(probes),
            "state": RUNNING,
        }
        self._write()

    def add_candidate(self, candidate: CandidateSpec, card: ModelCard, info: ModelInfo) -> None:
        """The weights that answer. Raises: ConfigurationError when earlier rows are of other weights."""
        known = self._manifest["candidates"].get(candidate.name)
        if known is not None and known["fingerprint"] != info.fingerprint:
            raise ConfigurationError(
                f"{candidate.name} was asked with other weights or another version before. Choose an empty folder."
            )
        if known is None:
            self._manifest["candidates"][candidate.name] = {**_weights(card, info), "applied": {}}
            self._write()

    def add_harness(self, spec: HarnessSpec, rows: Sequence[SampleRow]) -> None:
        """A task whose scores were brought in."""
        self._manifest["probes"][spec.name] = about_harness(spec, rows)
        self._write()

    def add_judge(self, card: ModelCard, info: ModelInfo) -> None:
        """The weights that judge."""
        self._manifest["judge"] = _weights(card, info)
        self._write()

    def add_guard(self, name: str) -> None:
        """The guard that judges answers."""
        self._manifest["guard"] = name
        self._write()

    def saw(self, candidate: CandidateSpec, kind: RequestKind, reply: Reply) -> None:
        """Keeps the parameters as the engine applied them, once a kind of request."""
        self._keep_applied(candidate, kind.value, reply)

    def finish(self, state: str = DONE) -> None:
        """Nothing more will be asked."""
        self._manifest |= {"state": state, "ended_at": _now()}
        self._write()

    def _keep_applied(self, candidate: CandidateSpec, kind: str, reply: Reply) -> None:
        applied = self._manifest["candidates"][candidate.name]["applied"]
        if kind in applied or not reply.effective:
            return
        # The prompt's hash is each request's own and stands in its row.
        applied[kind] = {name: value for name, value in reply.effective.items() if name != "prompt_sha256"}
        self._write()

    def _write(self) -> None:
        self._folder.write_json(self._folder.manifest_path, self._manifest)


def _probes(probes: Sequence[Probe]) -> dict[str, Any]:
    """By name; those of one set are told apart by their names."""
    titles = Counter(probe.title for probe in probes)
    return {
        probe.name: _probe(
            probe,
            probe.title if titles[probe.title] == 1 else f"{probe.title}: {probe.name.replace('-', ' ')}",
        )
        for probe in probes
    }


def _probe(probe: Probe, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "items": len(probe.data.samples),
        "bad_rows": [f"line {row.line} {row.reason}" for row in probe.data.bad_rows],
        "data_sha256": probe.data.sha256,
        "source": probe.source,
        "licence": probe.licence,
        "caution": probe.caution,
        "is_masked": probe.is_masked,
        "evaluator": probe.evaluator.name,
        "settings": evaluator_settings(probe.evaluator),
        "likelihood_prompt": probe.likelihood_prompt if probe.needs_likelihoods else None,
    }


def _weights(card: ModelCard, info: ModelInfo) -> dict[str, Any]:
    return {
        "model": card.id,
        "source": card.source,
        "region": card.region,
        "revision": card.revision,
        "fingerprint": info.fingerprint,
        "dtype": info.dtype,
        "quantization": card.quantization,
        "parameters": info.parameters,
        "memory_bytes": info.memory_bytes,
        "context_length": info.context_length,
        "price_per_million_tokens": card.price_per_million_tokens,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""The rows as tables for other programs: CSV and Parquet, without prompts and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from evaluators.timing import Latency, Origin, to_frame
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.record.rows import RequestKind, RequestRow, SampleRow
from workbench.experiments.results.outcome import Results

_REQUEST_COLUMNS = (
    "id", "kind", "candidate", "run", "probe", "sample", "repeat", "choice", "finish_reason", "prompt_sha256",
    "answer_sha256", "fingerprint",
)  # fmt: skip
_SCORE_COLUMNS = ("candidate", "probe", "sample", "repeat", "evaluator", "value", "reason", "failure")


def requests_table(rows: Sequence[RequestRow]) -> pd.DataFrame:
    """One row a request: who, what, raw event times, counts, hashes, and the latencies that follow from them."""
    about = pd.DataFrame([[getattr(row, column) for column in _REQUEST_COLUMNS] for row in rows],
                         columns=list(_REQUEST_COLUMNS))  # fmt: skip
    about["choice"] = about["choice"].astype("Int64")
    about["logprob"] = pd.array(
        [None if r.likelihood is None else r.likelihood.logprob for r in rows], "Float64"
    )
    events = to_frame([row.timing for row in rows])
    derived = pd.DataFrame(
        {latency.value: _latencies(rows, latency) for latency in Latency if latency is not Latency.ITL}
    )
    return pd.concat([about, events, derived], axis=1)


def _latencies(rows: Sequence[RequestRow], latency: Latency) -> pd.Series:
    origin = {True: Origin.SCHEDULED, False: Origin.SENT}
    values = [row.timing.latency_ms(latency, origin[row.kind is RequestKind.LOAD]) for row in rows]
    return pd.Series(values, dtype="float64")


def scores_table(rows: Sequence[SampleRow]) -> pd.DataFrame:
    """One row a judged item, without its texts."""
    records = [[getattr(row, column) for column in _SCORE_COLUMNS] for row in rows]
    return pd.DataFrame(records, columns=list(_SCORE_COLUMNS)).astype({"value": "float64"})


def write_tables(folder: ExperimentFolder, results: Results) -> None:
    """Requests, scores and what was said under load, each as CSV and Parquet, into the folder."""
    tables = {"requests": requests_table(results.requests), "scores": scores_table(results.samples)}
    if results.under_load:
        tables["under_load"] = pd.DataFrame([asdict(row) for row in results.under_load])
    for name, table in tables.items():
        table.to_parquet(folder.path / f"{name}.parquet", index=False)
        flat = table.drop(columns=["token_times"], errors="ignore")
        flat.to_csv(folder.path / f"{name}.csv", index=False)

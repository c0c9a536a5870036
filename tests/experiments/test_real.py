"""The embedded model, asked for real: fp32 against int8, scores that a plain forward pass confirms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.timing import RequestClass
from tests.experiments.small import small_experiment
from workbench.backends.catalogue import EMBEDDED_ID, read_catalogue
from workbench.core.caller import LOCAL_USER
from workbench.core.settings import Settings
from workbench.experiments.record.folder import ExperimentFolder
from workbench.experiments.report.outputs import write_outputs
from workbench.experiments.run.progress import Progress
from workbench.experiments.run.runner import ExperimentRunner
from workbench.experiments.run.service_respondent import ServiceRespondent
from workbench.site import make_workbench

pytestmark = pytest.mark.slow


async def test_fp32_against_int8_gives_a_verdict(tmp_path: Path, embedded_weights: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    experiment = small_experiment(
        tmp_path,
        candidates=[
            {"model": EMBEDDED_ID, "label": "fp32"},
            {"model": f"{EMBEDDED_ID}:int8", "label": "int8"},
        ],
        probes=[{"name": "common-sense", "data": "piqa", "evaluator": "multiple_choice", "limit": 4}],
        load={"rate": "1/s", "duration": "5s", "output_tokens": 4},
        requirements={"quality": {"common-sense": 0.5}, "ttft_p95_ms": 60_000},
    )
    folder, home = ExperimentFolder(tmp_path / "run"), embedded_weights.parent.parent
    workbench = make_workbench(Settings(home=home), read_catalogue(None))

    def ignore(progress: Progress) -> None:
        """Nobody watches."""

    try:
        await ExperimentRunner(experiment, folder, ServiceRespondent(workbench, LOCAL_USER), ignore).run()
    finally:
        await workbench.stop(0)
    results = write_outputs(folder, home)

    assert {row.timing.outcome for row in results.requests} == {RequestClass.OK}
    model = AutoModelForCausalLM.from_pretrained(embedded_weights, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(embedded_weights)
    for row in (row for row in results.samples if row.candidate == "fp32"):
        for choice, found in zip(row.choices, row.likelihoods, strict=True):
            context = tokenizer(f"Question: {row.prompt}\nAnswer:")["input_ids"]
            ids = tokenizer(f"Question: {row.prompt}\nAnswer: {choice}")["input_ids"]
            with torch.inference_mode():
                logprobs = model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
            expected = sum(float(logprobs[i - 1, ids[i]]) for i in range(len(context), len(ids)))
            assert found.logprob == pytest.approx(expected, abs=1e-3)
            assert found.tokens == len(ids) - len(context)

    manifest = json.loads(folder.manifest_path.read_text())
    assert manifest["candidates"]["fp32"]["fingerprint"] != manifest["candidates"]["int8"]["fingerprint"]
    forecasts = json.loads(folder.verdict_path.read_text())["deployment"]["forecasts"]
    assert {row["fit"] for row in forecasts["fp32"]} == {"fits"}

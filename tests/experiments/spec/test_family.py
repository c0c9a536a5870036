from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiments.small import small_experiment
from workbench.core.errors import ConfigurationError
from workbench.experiments.run.runner import refuse_experiment
from workbench.experiments.spec.family import family_of, refuse_own_family


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("HuggingFaceTB/SmolLM2-135M-Instruct:int8", "smollm"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen"),
        ("openai/gpt-4o-mini", "gpt"),
        ("12345", "12345"),
    ],
)
def test_a_family_is_told_by_the_models_name(model: str, family: str) -> None:
    assert family_of(model) == family


def test_a_judge_of_a_contestants_family_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"Qwen/Qwen3-32B.*Qwen/Qwen2\.5-7B"):
        refuse_own_family("Qwen/Qwen3-32B", ["meta-llama/Llama-3-8B", "Qwen/Qwen2.5-7B"])
    refuse_own_family("mistralai/Mistral-7B", ["meta-llama/Llama-3-8B", "Qwen/Qwen2.5-7B"])


def test_code_is_refused_where_it_may_not_run(tmp_path: Path) -> None:
    probe = {"name": "mine", "data": "reading", "evaluator": "python_function", "settings": {"file": "x.py"}}
    experiment = small_experiment(tmp_path, probes=[probe], requirements={})
    with pytest.raises(ConfigurationError, match="mine would run a Python file"):
        refuse_experiment(experiment, may_run_code=False)
    refuse_experiment(experiment, may_run_code=True)

"""Literal tables of what can be plugged in: name -> "module:attribute", imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from workbench.core.errors import ConfigurationError

BACKENDS: Mapping[str, str] = {
    "local": "workbench.backends.local:open_backend",
    "remote": "workbench.backends.remote:open_backend",
    "ray": "workbench.backends.ray:open_backend",
    "scripted": "workbench.backends.scripted:open_backend",
}

GUARDS: Mapping[str, str] = {
    "off": "guard.off:open_guard",
    "embedded": "guard.embedded.guard:open_guard",
    "llama-guard-1-7b": "guard.llama_guard:open_guard",
    "llama-guard-2-8b": "guard.llama_guard:open_guard",
    "llama-guard-3-1b": "guard.llama_guard:open_guard",
    "llama-guard-3-8b": "guard.llama_guard:open_guard",
    "llama-guard-3-11b-vision": "guard.llama_guard:open_guard",
    "llama-guard-4-12b": "guard.llama_guard:open_guard",
}

EVALUATORS: Mapping[str, str] = {
    "exact_match": "evaluators.exact_match:ExactMatch",
    "contains": "evaluators.contains:Contains",
    "pattern": "evaluators.pattern:Pattern",
    "numeric": "evaluators.numeric:Numeric",
    "multiple_choice": "evaluators.multiple_choice:MultipleChoice",
    "pair_preference": "evaluators.pair_preference:PairPreference",
    "pair_margin": "evaluators.pair_margin:PairMargin",
    "stereotyped_answer": "evaluators.stereotyped_answer:StereotypedAnswer",
    "name_gap": "evaluators.name_gap:NameGap",
    "reason_consistency": "evaluators.reason_consistency:ReasonConsistency",
    "json_schema": "evaluators.json_schema:JsonSchema",
    "json_fields": "evaluators.json_fields:JsonFields",
    "coverage": "evaluators.coverage:Coverage",
    "chrf": "evaluators.chrf:Chrf",
    "bleu": "evaluators.bleu:Bleu",
    "refusal": "evaluators.refusal:Refusal",
    "over_refusal": "evaluators.refusal:OverRefusal",
    "unsafe_answer": "evaluators.unsafe_answer:UnsafeAnswer",
    "obedience": "evaluators.obedience:Obedience",
    "repetition": "evaluators.repetition:Repetition",
    "length": "evaluators.length:Length",
    "length_limit": "evaluators.length:LengthLimit",
    "language": "evaluators.language:Language",
    "rubric": "evaluators.rubric:Rubric",
    "python_function": "evaluators.python_function:PythonFunction",
}


def load(table: Mapping[str, str], name: str, what: str) -> Any:
    """The object a table's entry names.

    Raises: ConfigurationError listing the known names when `name` is not among them.
    """
    try:
        module, attribute = table[name].split(":")
    except KeyError:
        raise ConfigurationError(
            f"There is no {what} called {name!r}. Known: {', '.join(sorted(table))}."
        ) from None
    return getattr(import_module(module), attribute)

"""Llama Guard: render the conversation, ask the model, read the verdict.

Every generation goes through the same three steps; `generations` has what differs.
"""

from __future__ import annotations

from guard.base import Guard, GuardOptions
from guard.llama_guard.adapter import DEFAULT_THRESHOLD, LlamaGuard
from guard.llama_guard.asking import Asker, Model, ScoredPrompts, ServerPrompts, WrittenPrompts
from guard.llama_guard.generations import GENERATIONS, Generation, generation, generation_of_model
from guard.llama_guard.render import Policy, policy
from workbench.core.backend import Backend
from workbench.core.errors import ConfigurationError

__all__ = ["GENERATIONS", "Generation", "LlamaGuard", "generation_of_model", "open_guard"]


def open_guard(options: GuardOptions, backend: Backend | None = None) -> Guard:
    """The Llama Guard `options.kind` over `backend`.

    Raises: ConfigurationError for an unknown kind, a missing backend, a policy the model cannot be asked
    with.
    """
    row = generation(options.kind)
    if backend is None:
        raise ConfigurationError(f"The guard {options.kind!r} needs a model: name one in the catalogue.")
    chosen = policy(row, options.custom_categories, options.excluded_categories)
    name = options.name or options.kind
    return LlamaGuard(
        _asker(Model(backend, name), row, chosen, options),
        row,
        chosen,
        name=name,
        fingerprint=backend.info.fingerprint,
        threshold=DEFAULT_THRESHOLD if options.threshold is None else options.threshold,
    )


def _asker(model: Model, row: Generation, chosen: Policy, options: GuardOptions) -> Asker:
    if not options.is_remote:
        return (ScoredPrompts if model.gives_logprobs else WrittenPrompts)(model, row, chosen)
    if not options.custom_categories and not options.excluded_categories:
        return ServerPrompts(model, {})
    if not row.reads_categories:
        raise ConfigurationError(
            f"{row.title}'s chat template has a fixed list of categories: run it locally to change them."
        )
    kwargs: dict[str, object] = {"excluded_category_keys": sorted(options.excluded_categories)}
    if options.custom_categories:
        kwargs["categories"] = dict(options.custom_categories)
    return ServerPrompts(model, kwargs)

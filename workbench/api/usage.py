"""Token counts, from the core's to the wire's."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.api.schemas.answers import CompletionTokensDetails, PromptTokensDetails, UsageCount
from workbench.core.chat import Usage


def total(usages: Iterable[Usage]) -> Usage:
    """The sum over the prompts of one call."""
    prompt = completion = cached = reasoning = 0
    for usage in usages:
        prompt += usage.prompt_tokens
        completion += usage.completion_tokens
        cached += usage.cached_tokens
        reasoning += usage.reasoning_tokens
    return Usage(prompt, completion, cached, reasoning)


def usage_count(usage: Usage) -> UsageCount:
    """`usage` in OpenAI's shape."""
    return UsageCount(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=usage.cached_tokens),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=usage.reasoning_tokens),
    )

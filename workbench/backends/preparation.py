"""What is decided about a request before the engine sees it: prompt, parameters, grammar, and how to read the answer.

Everything that can be refused is refused here.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.backends.outputs import OutputPlan, call_schema, plan_output, tools_as_text
from workbench.backends.rendering import Rendered, render, template_knows_tools
from workbench.core.chat import (
    ChatPrompt,
    GenerationRequest,
    Message,
    Prompt,
    Role,
    ToolChoiceMode,
)
from workbench.core.effective import EffectiveParams, Source, resolve
from workbench.core.errors import ContextLengthExceeded, InvalidRequest
from workbench.engine.grammar import Grammar, GrammarCompiler
from workbench.engine.loader import LoadedModel

COMPILE_SECONDS = 10.0
FRESH_SEED_BITS = 53
"""So that a reported seed is exact in JavaScript as well."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready for the engine."""

    request: GenerationRequest
    rendered: Rendered
    effective: EffectiveParams
    output: OutputPlan
    grammar: Grammar | None
    visible_ids: frozenset[int]


class Preparer:
    """Prepares requests for one loaded model; `longest` is the longest sequence it can hold, in tokens."""

    def __init__(self, loaded: LoadedModel, longest: int) -> None:
        self._loaded = loaded
        self._longest = longest
        self._grammars = GrammarCompiler(loaded.tokenizer, loaded.runner.vocabulary, loaded.eos_ids)
        self._template_hash = _short_hash(str(loaded.tokenizer.chat_template))

    async def prepare(self, request: GenerationRequest) -> Prepared:
        """The request with everything decided.

        Raises: InvalidRequest, UnsupportedParameter or ContextLengthExceeded, naming the field.
        """
        prompt = self._with_tools_as_text(request.prompt)
        rendered = render(prompt, self._loaded.tokenizer)
        self._check(request, rendered)
        effective = resolve(
            request.params,
            self._loaded.defaults,
            room_tokens=self._longest - len(rendered.ids),
            fresh_seed=secrets.randbits(FRESH_SEED_BITS),
        )
        output = OutputPlan()
        if isinstance(prompt, ChatPrompt):
            template = str(self._loaded.tokenizer.chat_template)
            shipped = getattr(self._loaded.tokenizer, "response_template", None)
            output = plan_output(prompt, rendered.text or "", template, shipped)
        return Prepared(
            request, rendered, effective, output, await self._grammar(request), self._visible(output)
        )

    def prompt_ids(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids as the model sees them."""
        return render(self._with_tools_as_text(prompt), self._loaded.tokenizer).ids

    def _with_tools_as_text(self, prompt: Prompt) -> Prompt:
        """A prompt whose template knows no tools gets them through one system text."""
        if (
            not isinstance(prompt, ChatPrompt)
            or prompt.tool_choice.mode is ToolChoiceMode.NONE
            or not prompt.tools
        ):
            return prompt
        if template_knows_tools(self._loaded.tokenizer):
            return prompt
        text, messages = tools_as_text(prompt.tools), prompt.messages
        if messages and messages[0].role is Role.SYSTEM:
            first = replace(messages[0], content=f"{messages[0].content}\n\n{text}")
            return replace(prompt, messages=(first, *messages[1:]))
        return replace(prompt, messages=(Message(Role.SYSTEM, text), *messages))

    def _check(self, request: GenerationRequest, rendered: Rendered) -> None:
        param = "messages" if isinstance(request.prompt, ChatPrompt) else "prompt"
        prompt_tokens, vocabulary = len(rendered.ids), self._loaded.runner.vocabulary
        if prompt_tokens == 0:
            raise InvalidRequest("The prompt is empty: give at least one token.", param=param)
        if not 0 <= min(rendered.ids) <= max(rendered.ids) < vocabulary:
            raise InvalidRequest(f"Token ids of this model run from 0 to {vocabulary - 1}.", param=param)
        asked = request.params.max_tokens
        least = 1 if asked is None else asked
        if prompt_tokens + least > self._longest:
            raise ContextLengthExceeded(
                limit=self._longest, prompt_tokens=prompt_tokens, asked_tokens=least, param=param
            )
        for token in request.params.logit_bias or {}:
            if not token.isdecimal() or int(token) >= vocabulary:
                raise InvalidRequest(
                    f"logit_bias maps token ids of this model, 0 to {vocabulary - 1}, to numbers.",
                    param="logit_bias",
                )

    async def _grammar(self, request: GenerationRequest) -> Grammar | None:
        """The grammar that response_format or a forced tool call asks for, compiled off the event loop."""
        prompt = request.prompt
        if isinstance(prompt, ChatPrompt) and prompt.tool_choice.mode in (
            ToolChoiceMode.REQUIRED,
            ToolChoiceMode.NAMED,
        ):
            schema = call_schema(
                prompt.tools, only=prompt.tool_choice.name, is_parallel=prompt.parallel_tool_calls
            )
            return await self._compile(schema, "tools")
        if request.output_format is not None:
            return await self._compile(request.output_format.schema, "response_format")
        return None

    async def _compile(self, schema: Any, param: str) -> Grammar:
        try:
            return await asyncio.wait_for(
                asyncio.to_thread(self._grammars.json, schema, param), COMPILE_SECONDS
            )
        except TimeoutError:
            raise InvalidRequest(
                "The JSON schema takes too long to compile. Simplify it.", param=param
            ) from None

    def _visible(self, output: OutputPlan) -> frozenset[int]:
        """Special tokens whose text the reader of the output must see."""
        specials = self._loaded.tokenizer.all_special_ids
        if output.template is None:
            return frozenset()
        if (
            not output.markers
        ):  # a shipped template names its markers in patterns: show all but the end of text
            return frozenset(specials) - self._loaded.eos_ids
        names = dict(zip(self._loaded.tokenizer.all_special_tokens, specials, strict=True))
        return frozenset(names[marker] for marker in output.markers if marker in names)

    def report(self, prepared: Prepared, model: str) -> dict[str, Any]:
        """What is really applied, for `x_effective`. Nothing is ever clamped, so that list is empty."""
        effective = prepared.effective
        values = {name: value for name, value in asdict(effective).items() if name != "sources"}
        values["logit_bias"] = {str(token): bias for token, bias in effective.logit_bias.items()}
        by_source = {
            source: sorted(name for name, found in effective.sources.items() if found is source)
            for source in Source
        }
        is_chat = isinstance(prepared.request.prompt, ChatPrompt)
        return {
            "model": model,
            "params": values,
            "requested": by_source[Source.REQUEST],
            "from_model": by_source[Source.MODEL],
            "defaulted": by_source[Source.DEFAULT],
            "clamped": [],
            "prompt_sha256": _short_hash(" ".join(map(str, prepared.rendered.ids))),
            "template_sha256": self._template_hash if is_chat else None,
        }


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

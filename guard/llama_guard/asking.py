"""Three ways to get a verdict out of a Llama Guard, depending on what its backend can do.

`ScoredPrompts`  we render the prompt, one token is generated and scored; codes only when unsafe. The default.
`WrittenPrompts` we render the prompt and read the answer: for backends without logprobs.
`ServerPrompts`  a remote endpoint renders the conversation with its own template; logprobs where it has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from guard.llama_guard.generations import Generation
from guard.llama_guard.parse import Answer, GarbledVerdict, parse_answer, parse_codes
from guard.llama_guard.render import Policy, TextMissing, neutralized, opening, render
from guard.llama_guard.score import TOP_LOGPROBS, verdict_token
from guard.turns import Side, Turn
from workbench.core.backend import SHARED_SCOPE, Backend, CallContext
from workbench.core.chat import (
    ChatPrompt,
    Choice,
    Completion,
    CompletionBuilder,
    GenerationRequest,
    Message,
    Prompt,
    Role,
    TextPrompt,
    TokenLogprob,
)
from workbench.core.errors import WorkbenchError
from workbench.core.params import GenerationParams

ANSWER_TOKENS = 64
"""Room for "unsafe" and every code; the model ends its answer itself."""

_LEADING_TOKENS = 3
"""How many tokens of white space may come before the verdict."""

_PROBE_WORDS = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """What one question to the model gave. `note` says what it could not give."""

    is_unsafe: bool
    p_unsafe: float | None = None
    codes: tuple[str, ...] = ()
    note: str = ""


class Asker(Protocol):
    """Asks the model about the last of `turns`."""

    async def ask(self, turns: Sequence[Turn], threshold: float, context: CallContext) -> Finding:
        """The finding. Raises: GarbledVerdict, TextMissing, WorkbenchError."""
        ...


@dataclass(frozen=True, slots=True)
class Model:
    """The guard's model: its backend and the name it is asked for by."""

    backend: Backend
    name: str

    @property
    def shares_prefixes(self) -> bool:
        """True when what is read under SHARED_SCOPE need not be read again for anyone."""
        return "shared_prefixes" in self.backend.info.features

    @property
    def gives_logprobs(self) -> bool:
        """True when the backend can say how likely its tokens were."""
        return "logprobs" in self.backend.info.features

    async def complete(
        self, prompt: Prompt, context: CallContext, *, max_tokens: int, logprobs: int | None = None
    ) -> Completion:
        """The likeliest continuation, none of the model's own sampling settings applied.

        Only the scope and the request's id are taken from `context`: its places are those of the chat.
        Raises: WorkbenchError; GarbledVerdict when the stream breaks off.
        """
        params = GenerationParams(
            temperature=0.0, top_p=1.0, top_k=0, min_p=0.0, repetition_penalty=1.0, max_tokens=max_tokens
        )
        request = GenerationRequest(self.name, prompt, params, logprobs=logprobs)
        builder = CompletionBuilder()
        own = CallContext(context.scope, context.request_id)
        async with aclosing(self.backend.stream(request, own)) as events:
            async for event in events:
                builder.add(event)
        try:
            return builder.completion()
        except ValueError as failure:
            raise GarbledVerdict("the guard's answer broke off") from failure


class ScoredPrompts:
    """One forward pass for the score; the codes are decoded only when the score says unsafe.

    Where the backend shares prefixes, the policy is read once for all callers before the first question.
    """

    def __init__(self, model: Model, generation: Generation, policy: Policy) -> None:
        self._model = model
        self._generation = generation
        self._policy = policy
        self._sides_read: set[Side] = set()
        self._reading = asyncio.Lock()

    async def ask(self, turns: Sequence[Turn], threshold: float, context: CallContext) -> Finding:
        """The score, and the codes when it reaches `threshold`."""
        if self._model.shares_prefixes:
            await self._read_policy(turns[-1].side)
        prompt = render(self._generation, self._policy, turns) + self._generation.score_suffix
        token, prompt = await self._verdict(prompt, context)
        found = verdict_token([token])
        if found is None:
            raise GarbledVerdict("the guard's answer begins with neither `safe` nor `unsafe`")
        if found.p_unsafe < threshold:
            return Finding(is_unsafe=False, p_unsafe=found.p_unsafe)
        codes, note = await self._codes(prompt, context)
        return Finding(True, found.p_unsafe, codes, note)

    async def _read_policy(self, judged: Side) -> None:
        """Has the backend keep the part of the prompt that is the same for everyone, once a side."""
        async with self._reading:
            if judged not in self._sides_read:
                prompt = TextPrompt(opening(self._generation, self._policy, judged), add_special_tokens=False)
                await self._model.complete(prompt, CallContext(SHARED_SCOPE), max_tokens=1)
                self._sides_read.add(judged)

    async def _verdict(self, prompt: str, context: CallContext) -> tuple[TokenLogprob, str]:
        """The token where the verdict is decided, and the prompt with the white space that came before it."""
        for _ in range(_LEADING_TOKENS):
            asked = TextPrompt(prompt, add_special_tokens=False)
            completion = await self._model.complete(asked, context, max_tokens=1, logprobs=TOP_LOGPROBS)
            token = _only_choice(completion).logprobs[:1]
            if not token or not token[0].text:
                raise GarbledVerdict("the guard gave no answer")
            if token[0].text.strip():
                return token[0], prompt
            prompt += token[0].text
        raise GarbledVerdict("the guard's answer is white space")

    async def _codes(self, prompt: str, context: CallContext) -> tuple[tuple[str, ...], str]:
        """The codes the model names after "unsafe", and a note when it could not be asked."""
        lead = "" if prompt[-1:].isspace() else self._generation.answer_lead
        asked = TextPrompt(f"{prompt}{lead}unsafe", add_special_tokens=False)
        try:
            completion = await self._model.complete(asked, context, max_tokens=ANSWER_TOKENS)
        except (WorkbenchError, GarbledVerdict) as failure:
            # The score stands without them: not knowing the category must not lose an "unsafe".
            return (), f"the categories could not be decoded ({type(failure).__name__})"
        return parse_codes(_only_choice(completion).content), ""


class WrittenPrompts:
    """Reads the answer the model writes to a prompt we render."""

    def __init__(self, model: Model, generation: Generation, policy: Policy) -> None:
        self._model = model
        self._generation = generation
        self._policy = policy

    async def ask(self, turns: Sequence[Turn], threshold: float, context: CallContext) -> Finding:
        """The answer, without a score."""
        prompt = TextPrompt(render(self._generation, self._policy, turns), add_special_tokens=False)
        completion = await self._model.complete(prompt, context, max_tokens=ANSWER_TOKENS)
        return _read(_only_choice(completion), threshold)


class ServerPrompts:
    """Sends the conversation to an endpoint that renders it with its own template, and reads the answer.

    Some templates drop the text of a plain conversation without an error, and the guard then calls everything
    safe. So before the first question two texts of different length are sent: the prompt tokens the endpoint
    counts must differ.
    """

    def __init__(self, model: Model, template_kwargs: Mapping[str, object]) -> None:
        self._model = model
        self._template_kwargs = dict(template_kwargs)
        self._carries_text: bool | None = None
        self._probing = asyncio.Lock()

    async def ask(self, turns: Sequence[Turn], threshold: float, context: CallContext) -> Finding:
        """The answer, with a score where the endpoint gives logprobs."""
        async with self._probing:
            if self._carries_text is None:
                self._carries_text = await self._template_carries_text(context)
        if not self._carries_text:
            raise TextMissing("the endpoint's chat template does not show the guard the conversation")
        completion = await self._model.complete(
            self._prompt(turns),
            context,
            max_tokens=ANSWER_TOKENS,
            logprobs=TOP_LOGPROBS if self._model.gives_logprobs else None,
        )
        return _read(_only_choice(completion), threshold)

    def _prompt(self, turns: Sequence[Turn]) -> ChatPrompt:
        roles = {Side.USER: Role.USER, Side.AGENT: Role.ASSISTANT}
        messages = tuple(Message(roles[turn.side], neutralized(turn.text)) for turn in turns)
        return ChatPrompt(messages, template_kwargs=self._template_kwargs)

    async def _template_carries_text(self, context: CallContext) -> bool:
        counts = []
        for words in (1, 1 + _PROBE_WORDS):
            prompt = self._prompt([Turn(Side.USER, "hello " * words)])
            completion = await self._model.complete(prompt, context, max_tokens=1)
            counts.append(completion.usage.prompt_tokens)
        return counts[1] - counts[0] >= _PROBE_WORDS


def _only_choice(completion: Completion) -> Choice:
    if not completion.choices:
        raise GarbledVerdict("the guard gave no answer")
    return completion.choices[0]


def _read(choice: Choice, threshold: float) -> Finding:
    """A written answer with the score of its verdict token, where there is one, deciding by `threshold`."""
    answer: Answer = parse_answer(choice.content)
    found = verdict_token(choice.logprobs)
    if found is None:
        return Finding(answer.is_unsafe, None, answer.codes, "no score, so no threshold was applied")
    return Finding(found.p_unsafe >= threshold, found.p_unsafe, answer.codes)

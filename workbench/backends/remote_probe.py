"""What a remote endpoint honours: asked once, by some twenty requests of a few tokens, and shown rather than hidden.

A field counts as ignored when setting it so that it must decide the answer does not decide it. What cannot be told
from a few tokens (presence and frequency penalty, logit_bias, min_tokens) is not claimed either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openai import APIStatusError, OpenAI

from workbench.backends.remote_wire import told_times

PROBE_TOKENS = 6
_MESSAGES: Any = [{"role": "user", "content": "Tell me something surprising about the sea."}]
_HOT = {"temperature": 2.0, "max_tokens": PROBE_TOKENS}
_DECISIVE: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 0.0},
    "top_p": {"top_p": 0.000001},
    "top_k": {"extra_body": {"top_k": 1}},
    "min_p": {"extra_body": {"min_p": 1.0}},
}
"""Settings that leave one token only, so that two hot answers with different seeds must be the same."""
_SCHEMA = {
    "type": "object",
    "properties": {"a": {"const": 1}},
    "required": ["a"],
    "additionalProperties": False,
}
_REPETITION_SPELLINGS = ("repetition_penalty", "repeat_penalty")
"""CTRL's penalty as Hugging Face, vLLM and SGLang name it, and as llama.cpp and Ollama do."""
_REPETITION_PENALTIES = (0.1, 2.0)
"""The lower makes an answer say what was said before, the upper forbids it: no greedy answer is the same under both."""


@dataclass(frozen=True, slots=True)
class Probed:
    """Fields the endpoint ignores, fields it refuses, and features it has.

    `spelling` has its own names for parameters that it knows under another one; `json_schema` is `json_object` where
    a schema goes with that type.
    """

    ignored: frozenset[str]
    refused: frozenset[str]
    features: frozenset[str]
    context_length: int | None
    fingerprint: str
    spelling: Mapping[str, str] = field(default_factory=dict)


def probe(client: OpenAI, model: str) -> Probed:
    """What this endpoint does with each field. Blocking. Raises: openai's errors when it does not answer at all."""
    asker = _Asker(client, model)
    plain = client.chat.completions.create(
        model=model, messages=_MESSAGES, max_tokens=PROBE_TOKENS, temperature=0
    )
    asker.note("max_tokens", plain.usage is None or plain.usage.completion_tokens <= PROBE_TOKENS)
    text = plain.choices[0].message.content or ""
    asker.check_decisive()
    asker.check_seed()
    asker.check_stop(text)
    asker.check_repetition(text)
    features = asker.features()
    return Probed(
        frozenset(asker.ignored),
        frozenset(asker.refused),
        features,
        _context_length(client, model),
        plain.system_fingerprint or f"remote:{model}",
        asker.spelling,
    )


class _Asker:
    """Asks short questions and keeps what they showed."""

    def __init__(self, client: OpenAI, model: str) -> None:
        self._client = client
        self._model = model
        self.ignored: set[str] = set()
        self.refused: set[str] = set()
        self.spelling: dict[str, str] = {}

    def note(self, name: str, is_honoured: bool) -> None:
        if not is_honoured:
            self.ignored.add(name)

    def _answer(self, **fields: Any) -> Any:
        return self._client.chat.completions.create(model=self._model, messages=_MESSAGES, **fields)

    def _text(self, name: str, **fields: Any) -> str | None:
        """The answer's text, or None (and noted) when the field is refused."""
        try:
            answer = self._answer(**{**_HOT, **fields})
        except APIStatusError as failure:
            if failure.status_code not in (400, 422):
                raise
            self.refused.add(name)
            return None
        return str(answer.choices[0].message.content or "")

    def check_decisive(self) -> None:
        """Fields that must make a hot answer the same twice."""
        free = {self._text("seed", seed=seed) for seed in (1, 2, 3)} - {None}
        if len(free) < 2:
            return  # nothing varies here, so sameness would show nothing
        for name, fields in _DECISIVE.items():
            texts = [self._text(name, seed=seed, **fields) for seed in (1, 2)]
            if None not in texts:
                self.note(name, texts[0] == texts[1])

    def check_seed(self) -> None:
        """The same seed gives the same hot answer."""
        if "seed" in self.refused:
            return
        self.note("seed", self._text("seed", seed=5) == self._text("seed", seed=5))

    def check_stop(self, text: str) -> None:
        """A piece of the known answer, as a stop string, must not come back."""
        stop = text[len(text) // 2 : len(text) // 2 + 3]
        if stop.strip():
            again = self._text("stop", temperature=0, stop=[stop])
            self.note("stop", again is None or stop not in again)

    def check_repetition(self, text: str) -> None:
        """A repetition penalty, by one of its names, changes the known answer."""
        name = "repetition_penalty"
        for spelling in _REPETITION_SPELLINGS:
            answers = [
                self._text(name, temperature=0, extra_body={spelling: value})
                for value in _REPETITION_PENALTIES
            ]
            if any(answer not in (None, text) for answer in answers):
                self.refused.discard(name)
                if spelling != name:
                    self.spelling[name] = spelling
                return
        self.note(name, name in self.refused)

    def features(self) -> frozenset[str]:
        """logprobs, n, prompt_logprobs, timing and json_schema, by what comes back."""
        found = set()
        answer = self._try(n=2, logprobs=True, top_logprobs=1, max_tokens=1)
        if answer is not None and len(answer.choices) == 2:
            found.add("n")
        if (
            answer is not None
            and answer.choices[0].logprobs is not None
            and answer.choices[0].logprobs.content
        ):
            found.add("logprobs")
        if self._tells_times():
            found.add("timing")
        if self._scores_prompts():
            found.add("prompt_logprobs")
        if self._keeps_to_schemas():
            found.add("json_schema")
        return frozenset(found)

    def _keeps_to_schemas(self) -> bool:
        """A schema leads the answer, in OpenAI's spelling or in llama.cpp's, where JSON's mode has a schema."""
        asked = {"type": "json_schema", "json_schema": {"name": "probe", "schema": _SCHEMA}}
        answer = self._try(max_tokens=20, response_format=asked)
        if answer is not None and (answer.choices[0].message.content or "").lstrip().startswith("{"):
            return True
        answer = self._try(max_tokens=20, response_format={"type": "json_object", "schema": _SCHEMA})
        # JSON alone would also come where the schema is ignored
        if answer is None or "".join((answer.choices[0].message.content or "").split()) != '{"a":1}':
            return False
        self.spelling["json_schema"] = "json_object"
        return True

    def _tells_times(self) -> bool:
        """As another Workbench does."""
        answer = self._try(max_tokens=2, extra_body={"x_timing": True})
        return answer is not None and told_times(answer) is not None

    def _try(self, **fields: Any) -> Any:
        try:
            return self._answer(**fields)
        except APIStatusError:
            return None

    def _scores_prompts(self) -> bool:
        try:
            answer = self._client.completions.create(
                model=self._model, prompt="The sea is", max_tokens=1, echo=True, logprobs=1
            )
        except APIStatusError:
            return False
        logprobs, usage = answer.choices[0].logprobs, answer.usage
        if logprobs is None or not logprobs.tokens or not logprobs.token_logprobs or usage is None:
            return False
        prompt_scores = logprobs.token_logprobs[1 : usage.prompt_tokens]
        return len(logprobs.tokens) >= usage.prompt_tokens > 1 and None not in prompt_scores


def _context_length(client: OpenAI, model: str) -> int | None:
    """What the endpoint's model list says of the model's context, under the names in use."""
    try:
        found = next((entry for entry in client.models.list() if entry.id == model), None)
    except APIStatusError:
        return None
    extra = (found.model_extra or {}) if found is not None else {}
    values = (extra.get(name) for name in ("max_model_len", "context_length", "context_window"))
    return next((value for value in values if isinstance(value, int)), None)

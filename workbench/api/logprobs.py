"""Log-probabilities in OpenAI's two shapes: chat's objects and the completions' parallel arrays."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from workbench.api.schemas.answers import ChatLogprobs, ChosenToken, LegacyLogprobs, LikelyToken
from workbench.core.chat import TokenLogprob


def _likely(token: TokenLogprob) -> LikelyToken:
    return LikelyToken(token=token.text, bytes=list(token.bytes), logprob=_known(token))


def _known(token: TokenLogprob) -> float:
    if token.logprob is None:
        raise ValueError("only the first token of an echoed prompt has no logprob")
    return token.logprob


def chat_logprobs(tokens: Sequence[TokenLogprob]) -> ChatLogprobs:
    """The tokens of a chat answer. Raises: ValueError for a token without a logprob."""
    return ChatLogprobs(
        content=[
            ChosenToken(
                token=token.text,
                bytes=list(token.bytes),
                logprob=_known(token),
                top_logprobs=[_likely(likely) for likely in token.top],
            )
            for token in tokens
        ]
    )


def _name(token: TokenLogprob) -> str:
    r"""The token's text, or `bytes:\xe2\x80` when it is only part of a character: names must not collide."""
    try:
        token.bytes.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token.bytes)
    return token.text


def _alternatives(token: TokenLogprob) -> dict[str, float] | None:
    """The likeliest tokens by name, best first, the chosen one always among them."""
    if token.logprob is None:
        return None
    found: dict[str, float] = {}
    for likely in (*token.top, token):
        found.setdefault(_name(likely), _known(likely))
    return found


class LegacyLogprobsWriter:
    """Writes one choice's arrays, piece by piece; offsets count the characters of all pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._length = 0

    def write(self, tokens: Sequence[TokenLogprob]) -> LegacyLogprobs:
        """The arrays of the next tokens."""
        offsets = []
        for token in tokens:
            offsets.append(self._length)
            self._length += len(self._decoder.decode(token.bytes))
        return LegacyLogprobs(
            tokens=[_name(token) for token in tokens],
            token_logprobs=[token.logprob for token in tokens],
            top_logprobs=[_alternatives(token) for token in tokens],
            text_offset=offsets,
        )

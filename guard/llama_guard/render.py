"""From a conversation to the exact text Llama Guard was trained to read.

What is covered: every turn's text is in the prompt (checked), no turn can close itself, open another one or
end the conversation, whatever it holds. What is not: text that argues with the guard in plain words is text
to be judged, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guard.base import Hazard
from guard.llama_guard.generations import Generation
from guard.taxonomy import hazard_by_name
from guard.turns import Side, Turn
from workbench.core.errors import ConfigurationError

# What could be read as structure: special tokens (`<|eot_id|>`, `<s>`), Llama 2's instruction marks, the
# prompt's own section lines. One blank after the first character takes that meaning away and leaves the
# words to be judged.
_MARKUP = re.compile(
    r"<(?=\|)|<(?=/?s>)|<(?=</?SYS>>)|<(?=/SYS>>)|\[(?=/?INST\])"
    r"|<(?=(?:BEGIN|END)\s+(?:CONVERSATION|UNSAFE\s+CONTENT\s+CATEGORIES))",
    re.IGNORECASE,
)
# A line that begins like a turn. Llama Guard 4 ends turns with a written-out "\n", so that counts as a line
# end.
_TURN_MARK = re.compile(
    r"(?P<start>^|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\\n)(?P<side>\s*(?:user|agent|assistant|system|human))(?=:)",
    re.IGNORECASE,
)
_CATEGORY_CODE = re.compile(r"[SO]\d{1,2}")


class TextMissing(ValueError):
    """A turn's text does not occur in the prompt the guard would read, so its verdict would mean nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The categories a guard is asked about: code -> the text of its line, and code -> its hazard."""

    lines: Mapping[str, str]
    hazards: Mapping[str, Hazard]


def policy(
    generation: Generation, custom: Mapping[str, str] | None = None, excluded: frozenset[str] = frozenset()
) -> Policy:
    """The generation's categories, or `custom` ones in their place, without the `excluded` codes.

    A category's hazard is found by its name, the first line of its text: codes mean different things in
    different generations.
    Raises: ConfigurationError for codes the model could not answer with, unknown exclusions, or nothing left.
    """
    texts = custom or generation.categories
    strange = [code for code in texts if not _CATEGORY_CODE.fullmatch(code)]
    unknown = excluded - set(texts)
    if strange or unknown:
        raise ConfigurationError(
            "Llama Guard categories are called S1, S2 ... (or O1 ...); these are not among them: "
            + ", ".join(sorted({*strange, *unknown}))
        )
    lines = {code: text for code, text in texts.items() if code not in excluded}
    if not lines:
        raise ConfigurationError("A Llama Guard needs at least one category; all of them are excluded.")
    return Policy(lines, {code: hazard_by_name(text.split("\n", 1)[0]) for code, text in lines.items()})


def neutralized(text: str) -> str:
    """`text` without anything that could be read as the prompt's structure, and without outer white space.

    A blank is put after the first character of `<|`, `<s>`, `</s>`, `[INST]`, `<<SYS>>`, `<END
    CONVERSATION>` and their relatives, and before the colon of a line that begins like a turn ("Agent:"
    becomes "Agent :"). Surrogates that stand alone, which no tokenizer can read, become "?". Nothing else
    changes, and doing it twice changes nothing more.
    """
    readable = text.encode("utf-8", "replace").decode("utf-8")
    apart = _MARKUP.sub(lambda mark: mark.group() + " ", readable)
    return _TURN_MARK.sub(lambda mark: f"{mark['start']}{mark['side']} ", apart).strip()


def opening(generation: Generation, policy: Policy, judged: Side) -> str:
    """How every prompt that judges this side begins: all of it up to the first turn's text."""
    categories = "".join(f"{code}: {text}\n" for code, text in policy.lines.items())
    return (
        f"{generation.head}Task: Check if there is unsafe content in '{judged.value}' messages in conversations "
        f"{generation.according} safety policy with the below categories.\n\n"
        f"<BEGIN UNSAFE CONTENT CATEGORIES>\n{categories}<END UNSAFE CONTENT CATEGORIES>\n\n"
        f"<BEGIN CONVERSATION>{generation.open_conversation}"
    )


def render(generation: Generation, policy: Policy, turns: Sequence[Turn]) -> str:
    """The prompt for a verdict on the last turn, special tokens written out.

    `turns` alternate and begin with the user's.
    Raises: TextMissing when a turn's text is not in the result.
    """
    judged = turns[-1].side
    texts = [neutralized(turn.text) for turn in turns]
    spoken = "".join(
        f"{turn.side.value}: {text}{generation.close_turn}" for turn, text in zip(turns, texts, strict=True)
    )
    bullet = generation.bullet
    prompt = (
        f"{opening(generation, policy, judged)}{spoken}<END CONVERSATION>\n\n"
        f"Provide your safety assessment for {generation.assess.format(side=judged.value)}:\n"
        f"{bullet}First line must read 'safe' or 'unsafe'.\n"
        f"{bullet}If unsafe, a second line must include a comma-separated list of violated categories."
        f"{generation.tail}"
    )
    require_texts(prompt, texts)
    return prompt


def require_texts(prompt: str, texts: Sequence[str]) -> None:
    """Returns when every text occurs in `prompt`, in order. Raises: TextMissing otherwise."""
    place = 0
    for text in texts:
        found = prompt.find(text, place)
        if found < 0:
            raise TextMissing("a turn's text does not occur in the prompt rendered for the guard")
        place = found + len(text)

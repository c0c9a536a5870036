"""The generations of Llama Guard: one row each, with all that differs between them.

Every prompt is one skeleton, filled by `guard.llama_guard.render`; a row holds the pieces. Source: the chat
templates published with the models and recorded renderings of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from guard.llama_guard import policies
from workbench.core.errors import ConfigurationError

_LLAMA_3_HEAD = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
_LLAMA_3_TAIL = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>"
_LAST_MESSAGE = "ONLY THE LAST {side} message in the above conversation"


@dataclass(frozen=True, slots=True)
class Generation:
    """One model's prompt and answer.

    `head` and `tail` stand around the text, special tokens included. `according` and `assess` are wordings;
    `assess` has a place for the judged side. `open_conversation` follows the line that begins the
    conversation, `close_turn` each turn's text. `categories` maps the model's own codes to their lines in
    the policy. `score_suffix` is what the model writes before its verdict whatever the verdict is: appended
    to the prompt, it makes the next token the verdict's. `answer_lead` is what stands between prompt and
    verdict when an "unsafe" is put into the model's mouth. `reads_categories` says that the model's own
    template takes `categories` and `excluded_category_keys`; `license` names the terms its weights come
    with.
    """

    kind: str
    title: str
    head: str
    tail: str
    categories: Mapping[str, str]
    license: str
    according: str = "according our"
    assess: str = _LAST_MESSAGE
    bullet: str = " - "
    open_conversation: str = "\n\n"
    close_turn: str = "\n\n"
    score_suffix: str = "\n\n"
    answer_lead: str = ""
    reads_categories: bool = False


GENERATIONS: Mapping[str, Generation] = {
    generation.kind: generation
    for generation in (
        Generation(
            kind="llama-guard-1-7b",
            title="Llama Guard 7B",
            head="[INST] ",
            tail=" [/INST]",
            categories=policies.LLAMA_GUARD_1,
            license="Llama 2 Community License",
            assess="{side} in the above conversation",
            bullet="- ",
            score_suffix="",
            answer_lead=" ",
        ),
        Generation(
            kind="llama-guard-2-8b",
            title="Llama Guard 2 8B",
            head="[INST] ",
            tail=" [/INST]",
            categories=policies.LLAMA_GUARD_2,
            license="Llama 3 Community License",
            score_suffix="",
        ),
        Generation(
            kind="llama-guard-3-8b",
            title="Llama Guard 3 8B",
            # The blank before the first special token is in the published template.
            head=" " + _LLAMA_3_HEAD,
            tail=_LLAMA_3_TAIL,
            categories=policies.LLAMA_GUARD_3_WITH_TOOLS,
            license="Llama 3.1 Community License",
        ),
        Generation(
            kind="llama-guard-3-1b",
            title="Llama Guard 3 1B",
            head=_LLAMA_3_HEAD,
            tail=" " + _LLAMA_3_TAIL,
            categories=policies.LLAMA_GUARD_3,
            license="Llama 3.2 Community License",
            reads_categories=True,
        ),
        Generation(
            kind="llama-guard-3-11b-vision",
            title="Llama Guard 3 11B Vision",
            head=_LLAMA_3_HEAD,
            tail=" " + _LLAMA_3_TAIL,
            categories=policies.LLAMA_GUARD_3,
            license="Llama 3.2 Community License",
            reads_categories=True,
        ),
        Generation(
            kind="llama-guard-4-12b",
            title="Llama Guard 4 12B",
            head="<|begin_of_text|><|header_start|>user<|header_end|>\n\n",
            tail=" <|eot|><|header_start|>assistant<|header_end|>",
            categories=policies.LLAMA_GUARD_3_WITH_TOOLS,
            license="Llama 4 Community License",
            according="according to our",
            open_conversation="\n",
            # The published template writes backslash and n, twice, before the real line ends.
            close_turn="\\n\\n\n\n",
            reads_categories=True,
        ),
    )
}

_NAME_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"guard-?4", "llama-guard-4-12b"),
    (r"guard-?3-?11b", "llama-guard-3-11b-vision"),
    (r"guard-?3-?1b", "llama-guard-3-1b"),
    (r"guard-?3", "llama-guard-3-8b"),
    (r"guard-?2", "llama-guard-2-8b"),
    (r"llama-?guard(-?1)?-?7b", "llama-guard-1-7b"),
)


def generation(kind: str) -> Generation:
    """The row of that name. Raises: ConfigurationError listing the known ones."""
    try:
        return GENERATIONS[kind]
    except KeyError:
        raise ConfigurationError(
            f"There is no Llama Guard called {kind!r}. Known: {', '.join(GENERATIONS)}."
        ) from None


def generation_of_model(model: str) -> Generation | None:
    """The generation a hub id or folder name speaks of ("meta-llama/Llama-Guard-3-1B"), None for others."""
    plain = model.lower().replace("_", "-").replace(":", "-")
    for pattern, kind in _NAME_PATTERNS:
        if re.search(pattern, plain) and "prompt-guard" not in plain:
            return GENERATIONS[kind]
    return None

"""Tiny random models and a byte-level tokenizer: real architectures, a vocabulary of 300, no download."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

VOCABULARY = 300
EOS = 256
WINDOW = 8
"""The sliding window of the models that have one: shorter than the tests' prompts."""

_SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 512,
    "bos_token_id": 257, "eos_token_id": EOS, "pad_token_id": EOS, "initializer_range": 0.3,
}  # fmt: skip
_EXTRA: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {},
    "mistral": {"sliding_window": WINDOW},
    "gemma3_text": {
        "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
        "query_pre_attn_scalar": 16,
    },
}
KINDS = tuple(_EXTRA)


def tiny_model(kind: str, seed: int = 0, **shape: int) -> PreTrainedModel:
    """A random model of this architecture, in float32; `shape` overrides fields of its config."""
    torch.manual_seed(seed)
    config = CONFIG_MAPPING[kind](**{**_SHAPE, **_EXTRA[kind], **shape})
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()


def byte_tokenizer(chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """A token for each byte, then <eos> 256, <bos> 257, and words up to the vocabulary's size."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    vocabulary |= {"<eos>": EOS, "<bos>": 257}
    merges = []
    for left in alphabet:
        if len(vocabulary) >= VOCABULARY:
            break
        if left.isascii() and left.isalpha():
            merges.append((left, "e"))
            vocabulary[left + "e"] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<eos>", bos_token="<bos>", chat_template=chat_template,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip


def greedy(model: PreTrainedModel, prompt: list[int], tokens: int) -> list[int]:
    """What `generate()` gives, without what follows an end of text."""
    output = model.generate(
        torch.tensor([prompt], device=model.device),
        max_new_tokens=tokens,
        do_sample=False,
        pad_token_id=EOS,
        eos_token_id=EOS,
    )
    made: list[int] = output[0, len(prompt) :].tolist()
    return made[: made.index(EOS)] if EOS in made else made

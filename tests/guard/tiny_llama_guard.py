"""A Llama of a few thousand random weights that answers like Llama Guard: `safe` or `unsafe`, nothing else.

Its tokenizer reads bytes, and as one token each the special tokens of Llama 3 and the words that matter.
`python -m tests.guard.tiny_llama_guard FOLDER [--hidden 512] [--layers 8]` writes one, of any size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
WORDS = ("\n\n", "unsafe", "safe")


def make_tokenizer() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    plain.add_tokens([AddedToken(word, normalized=False) for word in WORDS])
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token=SPECIAL[0], eos_token=SPECIAL[3], model_max_length=4096
    )


def make_tiny_llama_guard(folder: Path, hidden: int = 32, layers: int = 2) -> None:
    """Writes the model; `hidden` is a multiple of 4.

    The first coordinate is the same for every token in every layer, and keeps the logits of all other tokens
    low.
    """
    tokenizer = make_tokenizer()
    torch.manual_seed(5)
    growth = (hidden / 32) ** 0.5
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.6 / growth,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).eval()
    direction = torch.randn(config.hidden_size) * 0.25
    direction[0] = 0.0
    safe, unsafe = tokenizer.convert_tokens_to_ids(["safe", "unsafe"])
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 3.0 * growth
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
        model.lm_head.weight.zero_()
        model.lm_head.weight[:, 0] = -1000.0
        model.lm_head.weight[safe] = direction
        model.lm_head.weight[unsafe] = -direction
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    options = parser.parse_args()
    make_tiny_llama_guard(options.folder, options.hidden, options.layers)


if __name__ == "__main__":
    main()

"""A Llama of two layers and 262 tokens with random weights, written as GGUF: real format, no download."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_MERGES = ["h e", "l l", "he ll"]
_CONTROL, _NORMAL = 3, 1
_WIDTH, _KEY_WIDTH, _LAYERS = 64, 32, 2


def write_tiny_gguf(path: Path, kind: gguf.GGMLQuantizationType) -> None:
    """Writes the model to `path`: matrices stored as `kind` (F32, F16 or Q4_1), norms as float32 like all GGUF.

    The norms' values fit half precision, as those of models trained in it do.
    """
    tokens = [*_SPECIAL_TOKENS, *_byte_tokens(), "he", "ll", "hell"]
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_metadata(writer, tokens)
    draw = np.random.default_rng(0)
    for name, shape in _shapes(len(tokens)).items():
        weight = (draw.standard_normal(shape) * 0.05).astype(np.float32)
        stored = kind
        if len(shape) == 1:
            weight, stored = weight.astype(np.float16).astype(np.float32), gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quantize(weight, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _byte_tokens() -> list[str]:
    """One printable character for each byte, GPT-2's way."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


def _add_metadata(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    writer.add_context_length(128)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    plain = len(tokens) - len(_SPECIAL_TOKENS)
    writer.add_token_types([_CONTROL] * len(_SPECIAL_TOKENS) + [_NORMAL] * plain)
    writer.add_token_merges(_MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, _WIDTH),
        "output_norm.weight": (_WIDTH,),
    }
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        shapes |= {f"{block}.{norm}.weight": (_WIDTH,) for norm in ("attn_norm", "ffn_norm")}
        shapes |= {f"{block}.{name}.weight": (_WIDTH, _WIDTH) for name in ("attn_q", "attn_output")}
        shapes |= {f"{block}.{name}.weight": (_KEY_WIDTH, _WIDTH) for name in ("attn_k", "attn_v")}
        shapes |= {f"{block}.{name}.weight": (_WIDTH, _WIDTH) for name in ("ffn_gate", "ffn_up", "ffn_down")}
    return shapes

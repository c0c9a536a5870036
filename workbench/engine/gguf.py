"""From a GGUF file to the files transformers loads fast: dequantised once, tokenizer and template too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.backend import Progress
from workbench.core.errors import WeightsError
from workbench.engine.disk import explained_writes, require_room

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_TOKENIZER_ROOM_BYTES = 64 << 20
_PROBE_TEXT = "Hello,  world!\n\n1234 it's\tnaïve 日本 😀 <|im_start|>user"
_STAGE = "converting the weights"


def write_converted(gguf: Path, folder: Path, progress: Progress) -> None:
    """Fills the new `folder` with what transformers loads: configs, tokenizer, chat template, safetensors.

    Weights are float32, or bfloat16 or float16 where that loses nothing. Takes memory for them in float32.

    Raises:
        WeightsError: the file is damaged, its architecture is unknown to transformers, or there is no room.
    """
    progress(_STAGE, 0.0)
    with _read_errors(gguf), _quiet_bars():
        tokenizer = _read_tokenizer(gguf)
        progress(_STAGE, 0.3)
        model = _read_model(gguf)
    dtype = _smallest_lossless_dtype(model)
    _complete(model, tokenizer, dtype)
    progress(_STAGE, 0.8)
    needed_bytes = _TOKENIZER_ROOM_BYTES + dtype.itemsize * sum(
        weight.numel() for weight in model.parameters()
    )
    require_room(folder.parent, needed_bytes)
    with explained_writes(folder.parent, needed_bytes), _quiet_bars():
        folder.mkdir()
        model.to(dtype).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    _compare_tokenizers(tokenizer, folder)
    progress(_STAGE, 1.0)


def _read_tokenizer(gguf: Path) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)


def _read_model(gguf: Path) -> PreTrainedModel:
    """The float32 model; asked to dequantise, or a machine with GGUF kernels would keep the packed blocks."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    return AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        local_files_only=True,
    )


def _smallest_lossless_dtype(model: PreTrainedModel) -> torch.dtype:
    """Blocks of 4 bits with a float16 scale and offset need float32; a GGUF of plain half floats does not."""
    import torch

    for dtype in (torch.bfloat16, torch.float16):
        if all(torch.equal(weight.to(dtype).float(), weight) for weight in model.parameters()):
            return dtype
    return torch.float32


def _complete(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype) -> None:
    """Adds what the conversion by transformers leaves open: dtype, end tokens, longest input.

    Generation ends at the config's and at the tokenizer's end token: chat models often differ in the two.
    """
    model.config.dtype = dtype
    configured = model.config.eos_token_id
    ends = {*(configured if isinstance(configured, list) else [configured]), tokenizer.eos_token_id} - {None}
    generation = model.generation_config
    generation.eos_token_id = sorted(ends) if len(ends) > 1 else next(iter(ends), None)
    generation.pad_token_id = tokenizer.pad_token_id
    # its own file from here on: transformers would otherwise read the end tokens from the model's config again
    generation._from_model_config = False
    tokenizer.model_max_length = model.config.max_position_embeddings


def _compare_tokenizers(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Raises: WeightsError when the saved tokenizer is not the one that was read."""
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    same = (
        saved(_PROBE_TEXT).input_ids == tokenizer(_PROBE_TEXT).input_ids
        and saved.chat_template == tokenizer.chat_template
        and saved.special_tokens_map == tokenizer.special_tokens_map
        and saved.get_vocab() == tokenizer.get_vocab()
    )
    if not same:
        raise WeightsError(
            "The tokenizer changed when it was saved. Install the transformers version of constraints.txt."
        )


@contextmanager
def _read_errors(gguf: Path) -> Iterator[None]:
    """Names the file in whatever its readers raise."""
    try:
        yield
    except Exception as exc:  # a damaged file makes third-party readers raise anything
        raise WeightsError(
            f"{gguf.name} cannot be converted: {type(exc).__name__}: {exc}. "
            "Check that the file is complete and that transformers knows its architecture."
        ) from exc


@contextmanager
def _quiet_bars() -> Iterator[None]:
    """Keeps transformers' progress bars off the terminal, where our own progress is shown."""
    from transformers import modeling_gguf_pytorch_utils as reader
    from transformers.utils import logging

    shown, bars = logging.is_progress_bar_enabled(), reader.tqdm
    logging.disable_progress_bar()
    reader.tqdm = partial(bars, disable=True)  # it asks nobody whether bars are wanted
    try:
        yield
    finally:
        reader.tqdm = bars
        if shown:
            logging.enable_progress_bar()

"""What one decode step costs as rows are added, against `generate()` on a static batch of the same rows.

Run by hand: `python -m bench.decode_steps`. It needs torch and transformers and nothing else of Workbench's
dependencies, so it also runs on a bare machine with an accelerator:
`python -m bench.decode_steps --shape llama-3.1-8b --dtype bfloat16 --rows 1 8 64`, with random
weights. Subjects take turns in every round; what is reported is the median. The table comes last. `limit` is how fast
the weights alone could be read at the speed of a large copy on the same device.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel

from workbench.engine.fused import FusedDecoder, is_merged
from workbench.engine.int8 import has_int8_kernels
from workbench.engine.masks import MaskPlan
from workbench.engine.projections import prepare_projections
from workbench.engine.runner import SlotRunner, text_config

SHAPES: dict[str, dict[str, Any]] = {
    "llama-3.1-8b": {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 8192,
    },
    "smollm2-135m": {
        "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
        "num_key_value_heads": 3, "vocab_size": 49152, "max_position_embeddings": 8192, "tie_word_embeddings": True,
    },
    "tiny": {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 512, "max_position_embeddings": 2048,
    },
}  # fmt: skip
COPIED_BYTES = 1 << 28
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}
HEAD = """\
| subject | rows | ms a step | times one row | tokens/s | against generate() | of the limit |
|---|---|---|---|---|---|---|"""


def load(options: argparse.Namespace, device: torch.device) -> PreTrainedModel:
    """The model in the folder, or one of the shape with random weights."""
    dtype = getattr(torch, options.dtype)
    if options.model is not None:
        loaded = AutoModelForCausalLM.from_pretrained(options.model, dtype=dtype, attn_implementation="sdpa")
        model: PreTrainedModel = loaded.to(device)
        return model.eval()
    torch.manual_seed(0)
    with device:
        config = LlamaConfig(**SHAPES[options.shape], eos_token_id=None, bos_token_id=0, pad_token_id=0)
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa")
    return model.eval()


def slot_runner(model: PreTrainedModel, options: argparse.Namespace, *, is_int8: bool) -> SlotRunner:
    """The engine's runner as a server would choose it for this model; `is_int8` quantizes it in place."""
    plan = MaskPlan.of(text_config(model))
    if plan is None:
        raise SystemExit("This model's layers cannot live in slots.")
    prepare_projections(model, is_int8=is_int8)
    forward = FusedDecoder(model) if is_merged(model) else None
    rows = max(options.rows)
    return SlotRunner(model, plan, budget_bytes=options.cache_bytes, max_rows=rows, forward=forward)


def synchronize(device: torch.device) -> None:
    """Waits for what the device still has to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(act: Callable[[], object], device: torch.device, clock: Callable[[], float]) -> float:
    """How long it takes, the device's work included."""
    synchronize(device)
    began = clock()
    act()
    synchronize(device)
    return clock() - began


def bytes_per_second(device: torch.device, clock: Callable[[], float]) -> float:
    """Memory read and written in a second by a copy, the best of five."""
    source = torch.zeros(COPIED_BYTES // 4, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED_BYTES / min(seconds(lambda: target.copy_(source), device, clock) for _ in range(5))


def weight_bytes(model: PreTrainedModel) -> int:
    """What a step must read: all weights, but of the input embedding only a row a token."""
    total: int = sum(
        tensor.numel() * tensor.element_size() for tensor in {*model.parameters(), *model.buffers()}
    )
    embedding, head = (
        model.get_input_embeddings().weight,
        getattr(model.get_output_embeddings(), "weight", None),
    )
    return total if embedding is head else total - embedding.nbytes


def steps(runner: SlotRunner, rows: int, options: argparse.Namespace) -> Callable[[], None]:
    """Some decode steps of that many rows at different lengths, each with its token read back as a server must."""

    def act() -> None:
        runner.reserve(rows, options.length + options.steps + 1)
        positions = [options.length - (11 * row) % (options.length // 2) for row in range(rows)]
        tokens = [1] * rows
        for _ in range(options.steps):
            tokens = runner.decode(tokens, positions).argmax(dim=-1).tolist()
            positions = [position + 1 for position in positions]

    return act


def generation(model: PreTrainedModel, rows: int, options: argparse.Namespace) -> float:
    """Seconds of one of `generate()`'s decode steps: a long answer less one of a single token."""
    device = model.get_input_embeddings().weight.device
    ids = torch.ones((rows, options.length), dtype=torch.long, device=device)

    def answer(tokens: int) -> float:
        return seconds(
            lambda: model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, min_new_tokens=tokens,
                do_sample=False, pad_token_id=0,
            ),
            device,
            CLOCKS[options.clock],
        )  # fmt: skip

    spent = answer(options.steps + 1) - answer(1)
    return spent / float(options.steps)


@torch.inference_mode()
def measure(options: argparse.Namespace, device: torch.device) -> list[str]:
    """The table's rows."""
    plain = load(options, device)
    runners = {options.dtype: slot_runner(load(options, device), options, is_int8=False)}
    weights = {options.dtype: weight_bytes(plain)}
    if device.type == "cpu" and has_int8_kernels() and options.dtype == "float32":
        small = load(options, device)
        runners["int8"] = slot_runner(small, options, is_int8=True)
        weights["int8"] = weight_bytes(small)
    clock = CLOCKS[options.clock]
    bandwidth = bytes_per_second(device, clock)
    for rows in options.rows:  # the first pass of a shape pays for its kernels
        for runner in runners.values():
            steps(runner, rows, options)()
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(options.rounds):
        for rows in options.rows:
            found.setdefault(("generate()", rows), []).append(generation(plain, rows, options))
            for name, runner in runners.items():
                act = steps(runner, rows, options)
                found.setdefault((name, rows), []).append(seconds(act, device, clock) / options.steps)
    lines = []
    for name in ("generate()", *runners):
        for rows in options.rows:
            step = statistics.median(found[name, rows])
            ratio = statistics.median(
                other / one for other, one in zip(found["generate()", rows], found[name, rows], strict=True)
            )
            first = statistics.median(found[name, options.rows[0]])
            limit = weights.get(name, weights[options.dtype]) / bandwidth / step
            lines.append(
                f"| {name} | {rows} | {step * 1000:.1f} | {step / first:.2f} | {rows / step:.1f} | {ratio:.2f} "
                f"| {limit:.0%} |"
            )
    return lines


def main() -> None:
    """Reads the command line, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a folder with weights; else --shape")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="smollm2-135m")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--length", type=int, default=256, help="tokens the longest row holds, at least 64")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--clock", choices=sorted(CLOCKS), default="wall",
        help="processor time holds on a machine that others use, with OMP_NUM_THREADS=1",
    )  # fmt: skip
    parser.add_argument("--cache-bytes", type=int, default=8 << 30)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lines = measure(options, device)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
    sys.stdout.write(f"{name}; torch {torch.__version__}; {options.model or options.shape}\n\n{HEAD}\n")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

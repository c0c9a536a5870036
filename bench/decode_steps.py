"""What one decode step costs as rows are added, against `generate()` on a static batch of the same rows.

Run by hand: `python -m bench.decode_steps`. It needs torch and transformers and nothing else of Workbench's
dependencies, so it also runs on a bare machine with an accelerator:
`python -m bench.decode_steps --shape llama-3.1-8b --dtype bfloat16 --rows 1 8 64`, with random
weights; there int8 and nf4 are bitsandbytes' where it is installed. Subjects take turns in every round; what is
reported is the median. The table comes last. `limit` is how fast the weights alone could be read at the speed of a
large copy on the same device. `--compile` adds the layers compiled for the processor (not on an accelerator).
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, PreTrainedModel

from workbench.engine.fused import FusedDecoder, is_merged
from workbench.engine.int8 import has_int8_kernels
from workbench.engine.layer import LayerPass
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


def slot_runner(
    model: PreTrainedModel, options: argparse.Namespace, compiled: LayerPass | None = None
) -> SlotRunner:
    """The engine's runner as a server would choose it for this model."""
    plan = MaskPlan.of(text_config(model))
    if plan is None:
        raise SystemExit("This model's layers cannot live in slots.")
    forward = FusedDecoder(model, compiled) if is_merged(model) else None
    rows = max(options.rows)
    return SlotRunner(model, plan, budget_bytes=options.cache_bytes, max_rows=rows, forward=forward)


def prepared(options: argparse.Namespace, device: torch.device) -> dict[str, PreTrainedModel]:
    """The model in every precision there is here, as a server would have it."""
    found = {options.dtype: load(options, device)}
    prepare_projections(found[options.dtype], is_int8=False)
    if device.type == "cpu" and has_int8_kernels() and options.dtype == "float32":
        found["int8"] = load(options, device)
        prepare_projections(found["int8"], is_int8=True)
    if device.type == "cuda" and importlib.util.find_spec("bitsandbytes") is not None:
        found |= {name: quantized(load(options, device), name) for name in ("int8", "nf4")}
    return found


def quantized(model: PreTrainedModel, name: str) -> PreTrainedModel:
    """The model with bitsandbytes' layers in place of its own, the head left as it is."""
    import bitsandbytes

    for parent in list(model.model.modules()):
        for child_name, child in list(parent.named_children()):
            if type(child) is not nn.Linear:
                continue
            width, height = child.in_features, child.out_features
            if name == "int8":
                layer = bitsandbytes.nn.Linear8bitLt(width, height, bias=False, has_fp16_weights=False)
            else:
                layer = bitsandbytes.nn.Linear4bit(
                    width, height, bias=False, compute_dtype=child.weight.dtype, quant_type="nf4"
                )
            layer.load_state_dict({"weight": child.weight.detach().cpu()}, strict=False)
            setattr(parent, child_name, layer.to(child.weight.device))
    return model


def compiled_runners(
    models: dict[str, PreTrainedModel], options: argparse.Namespace, folder: Path
) -> dict[str, SlotRunner]:
    """A runner with a compiled layer for each of them that has the flat pass."""
    from workbench.engine.compiled import compile_layer, compiled_layer

    found = {}
    for name, model in models.items():
        if is_merged(model):
            shape = FusedDecoder(model).shape
            compile_layer(shape, folder)
            found[f"{name}, compiled"] = slot_runner(model, options, compiled_layer(shape, folder))
    return found


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

    @torch.inference_mode()
    def act() -> None:
        runner.reserve(rows, options.length + options.steps + 1)
        positions = [options.length - (11 * row) % (options.length // 2) for row in range(rows)]
        tokens = [1] * rows
        for _ in range(options.steps):
            tokens = runner.decode(tokens, positions).argmax(dim=-1).tolist()
            positions = [position + 1 for position in positions]

    return act


def generation(model: PreTrainedModel, rows: int, options: argparse.Namespace) -> float:
    """Seconds of one of `generate()`'s decode steps on a static batch: a long answer less one of a single token."""
    device = model.get_input_embeddings().weight.device
    ids = torch.tensor(prompts(model, rows, options), device=device)

    def answer(tokens: int) -> float:
        return seconds(
            lambda: model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, min_new_tokens=tokens,
                do_sample=False, pad_token_id=0,
            ),
            device,
            CLOCKS[options.clock],
        )  # fmt: skip

    return (answer(options.steps + 1) - answer(1)) / float(options.steps)


def continuous(model: PreTrainedModel, rows: int, options: argparse.Namespace) -> float:
    """Seconds of a step of transformers' continuous batching: between the tokens of the answer that began last.

    The others decode beside it, and no prompt is left to be read.
    """
    made = model.generate_batch(
        prompts(model, rows, options),
        generation_config=GenerationConfig(
            max_new_tokens=options.steps + 1, do_sample=False, eos_token_id=-1, pad_token_id=0
        ),
        record_timestamps=True,
        progress_bar=False,
    )
    times = [one.timestamps for one in made.values()]
    if [len(one) for one in times] != [options.steps + 1] * rows:
        raise RuntimeError("Continuous batching did not answer as asked; its log above says why.")
    last = max(times, key=lambda one: float(one[0]))
    return float(last[-1] - last[0]) / float(options.steps)


def prompts(model: PreTrainedModel, rows: int, options: argparse.Namespace) -> list[list[int]]:
    """A prompt for each row, no two with a common beginning."""
    most = min(text_config(model).vocab_size, 500)
    return [[(7 * place + 11 * row) % most for place in range(options.length)] for row in range(rows)]


def measure(options: argparse.Namespace, device: torch.device, folder: Path) -> list[str]:
    """The table's rows."""
    plain, models = load(options, device), prepared(options, device)
    weights = {name: weight_bytes(model) for name, model in models.items()}
    runners = {name: slot_runner(model, options) for name, model in models.items()}
    if options.compile:
        runners |= compiled_runners(models, options, folder)
    clock = CLOCKS[options.clock]
    bandwidth = bytes_per_second(device, clock)
    for rows in options.rows:  # the first pass of a shape pays for its kernels
        for runner in runners.values():
            steps(runner, rows, options)()
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(options.rounds):
        for rows in options.rows:
            for name, peer in (("generate()", generation), ("continuous batching", continuous)):
                found.setdefault((name, rows), []).append(peer(plain, rows, options))
            for name, runner in runners.items():
                act = steps(runner, rows, options)
                found.setdefault((name, rows), []).append(seconds(act, device, clock) / options.steps)
    return table(found, options, {name: bytes_ / bandwidth for name, bytes_ in weights.items()})


def table(
    found: dict[tuple[str, int], list[float]], options: argparse.Namespace, limits: dict[str, float]
) -> list[str]:
    """The rows of the table; `limits` are the seconds in which a precision's weights could be read."""
    lines = []
    for name in dict.fromkeys(name for name, _ in found):
        for rows in options.rows:
            step = statistics.median(found[name, rows])
            ratio = statistics.median(
                other / one for other, one in zip(found["generate()", rows], found[name, rows], strict=True)
            )
            first = statistics.median(found[name, options.rows[0]])
            limit = limits.get(name.split(",")[0], limits[options.dtype]) / step
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
    parser.add_argument("--compile", action="store_true", help="also with layers compiled for the processor")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(options, device, Path(folder))
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
    sys.stdout.write(f"{name}; torch {torch.__version__}; {options.model or options.shape}\n\n{HEAD}\n")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

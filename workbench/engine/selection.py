"""Which runner a model gets: the fastest one that gives the model's own logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog
import torch
from transformers import PreTrainedModel

from workbench.core.errors import WeightsError
from workbench.engine.forward import Forward, PlainForward
from workbench.engine.fused import FusedDecoder, is_merged
from workbench.engine.int8 import Int8Linear
from workbench.engine.layer import LayerPass, LayerShape
from workbench.engine.masks import MaskPlan
from workbench.engine.runner import Runner, SerialRunner, SlotRunner, text_config

log = structlog.get_logger(__name__)

CPU_ROWS = 16
GPU_ROWS = 64
SPARE_ROWS = 1
"""Rows beyond them, for callers who hold none: whoever fills all others does not make a newcomer wait."""
CHECKED_TOKENS = 12
TOLERANCE = 0.05
TOLERANCE_QUANTIZED = 0.15
"""Of the logits' spread. Where activations are rounded to 8 bits, one flipped rounding moves them by some percent."""
_CANNOT_RUN = (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What a model's own code raises when it is not made for being driven this way."""


def default_rows(device_type: str) -> int:
    """How many sequences run at once where the catalogue does not say."""
    return GPU_ROWS if device_type == "cuda" else CPU_ROWS


def choose_runner(
    model: PreTrainedModel,
    *,
    budget_bytes: int,
    max_rows: int,
    compiled_for: Callable[[LayerShape], LayerPass | None] = lambda shape: None,
) -> Runner:
    """Slots when this model's layers can live in them and give the same logits there; else one at a time.

    `compiled_for` gives the compiled layer of a shape, where there is one.

    Raises: WeightsError when the model runs in neither way.
    """
    plan = MaskPlan.of(text_config(model))
    expected = _plain_logits(model)
    if plan is not None:
        for forward in (*_fused(model, compiled_for), PlainForward(model)):
            runner = SlotRunner(model, plan, budget_bytes=budget_bytes, max_rows=max_rows, forward=forward)
            if _agrees(model, runner, expected):
                runner.can_pack = _packs(model, runner, expected)
                return runner
            log.warning("slots give other logits than the model", forward=type(forward).__name__)
    serial = SerialRunner(model, budget_bytes=budget_bytes)
    if not _agrees(model, serial, expected):
        raise WeightsError("This model's cache cannot be driven token by token; it cannot be served.")
    return serial


def _fused(
    model: PreTrainedModel, compiled_for: Callable[[LayerShape], LayerPass | None]
) -> Iterator[Forward]:
    """The flat forward passes over this model, the fastest first."""
    if is_merged(model):
        decoder = FusedDecoder(model)
        compiled = compiled_for(decoder.shape)
        if compiled is not None:
            yield FusedDecoder(model, compiled)
        yield decoder


def _tokens(model: PreTrainedModel) -> list[int]:
    return [(7 * place + 3) % int(text_config(model).vocab_size) for place in range(CHECKED_TOKENS)]


@torch.inference_mode()
def _plain_logits(model: PreTrainedModel) -> torch.Tensor:
    """Float32 logits [CHECKED_TOKENS, V] of one plain pass."""
    device = model.get_input_embeddings().weight.device
    logits: torch.Tensor = model(
        input_ids=torch.tensor([_tokens(model)], device=device), use_cache=False
    ).logits
    return logits[0].float()


@torch.inference_mode()
def _agrees(model: PreTrainedModel, runner: Runner, expected: torch.Tensor) -> bool:
    """True when chunked prefill and a decode step give the logits of one plain pass."""
    ids, middle = _tokens(model), CHECKED_TOKENS // 2
    try:
        runner.reserve(1, CHECKED_TOKENS)
        runner.prefill(0, ids[:middle], 0, 1)
        runner.prefill(0, ids[middle:-1], middle, 1)
        stepped = runner.decode(ids[-1:], [CHECKED_TOKENS - 1])
    except _CANNOT_RUN as failure:
        log.warning(
            "the model did not run this way", runner=type(runner).__name__, reason=type(failure).__name__
        )
        return False
    finally:
        runner.idle()
    return _is_close(model, stepped, expected[-1:])


@torch.inference_mode()
def _packs(model: PreTrainedModel, runner: Runner, expected: torch.Tensor) -> bool:
    """True when prompts that stand in one row give the logits they give alone."""
    ids = _tokens(model)
    try:
        packed = runner.score([ids[4:], ids, ids[:4]], [0, 3, 0], ["one"] * 3)
    except _CANNOT_RUN as failure:
        log.info("the model does not score packed prompts", reason=type(failure).__name__)
        return False
    middle = packed[CHECKED_TOKENS - 5 : -3]
    is_right = _is_close(model, middle, expected[3:-1]) and _is_close(model, packed[-3:], expected[:3])
    if not is_right:
        log.warning("packed prompts give other logits than alone, so they are scored one by one")
    return is_right


def _is_close(model: PreTrainedModel, logits: torch.Tensor, expected: torch.Tensor) -> bool:
    spread = float(expected.max() - expected.min())
    is_quantized = getattr(model, "is_quantized", False) or any(
        isinstance(module, Int8Linear) for module in model.modules()
    )
    tolerance = TOLERANCE_QUANTIZED if is_quantized else TOLERANCE
    return float((logits - expected).abs().max()) <= tolerance * max(spread, 1e-6)

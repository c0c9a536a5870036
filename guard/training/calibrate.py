"""Platt scales from the tuning rows, and the thresholds chosen on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guard.embedded.calibration import Calibration, PlattScale
from guard.embedded.classifier import EmbeddedClassifier
from guard.training.metrics import Labels, Scores, f1_at
from guard.training.rows import Row

LOOK_ALIKES = frozenset({"coconot-contrast-eval", "jbb-benign", "cse-frr-benign"})
MOST_LOOK_ALIKES_FLAGGED = 0.09  # on the tuning rows, below the aim of 0.10 because other sets will be harder
MOST_FLAGGED_ORDINARY = 0.02
IDENTITY = PlattScale(1.0, 0.0)


def uncalibrated(version: str) -> Calibration:
    """Raw sigmoids, cut in the middle."""
    return Calibration(version, IDENTITY, IDENTITY, 0.5, 0.5)


def platt_scale(logits: Scores, labels: Labels, weights: Scores) -> PlattScale:
    """The slope and offset that minimise the weighted log loss, by Newton's method."""
    inputs = np.stack((logits, np.ones_like(logits)), axis=1)
    theta = np.array([1.0, 0.0])
    for _ in range(50):
        chances = 1 / (1 + np.exp(-inputs @ theta))
        gradient = inputs.T @ (weights * (chances - labels))
        curvature = (inputs * (weights * chances * (1 - chances))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + 1e-6 * np.eye(2), gradient)
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    return PlattScale(float(theta[0]), float(theta[1]))


def balanced_weights(labels: Labels) -> Scores:
    """Weights with which both labels count the same, so that 0.5 means even odds."""
    weights: Scores = np.where(labels, 0.5 / max(labels.sum(), 1), 0.5 / max((~labels).sum(), 1))
    return weights


def prompt_threshold(rows: Sequence[Row], scores: Scores) -> float:
    """The smallest threshold, in hundredths, that flags few enough look-alikes and ordinary prompts."""
    look_alike = scores[[row.source in LOOK_ALIKES for row in rows]]
    ordinary = scores[[row.source.startswith("benign-") for row in rows]]
    for hundredths in range(5, 96):
        cut = hundredths / 100
        if (look_alike >= cut).mean() <= MOST_LOOK_ALIKES_FLAGGED and (
            ordinary >= cut
        ).mean() <= MOST_FLAGGED_ORDINARY:
            return cut
    return 0.95


def response_threshold(scores: Scores, labels: Labels) -> float:
    """The threshold, in hundredths, with the best F1."""
    return max((cut / 100 for cut in range(20, 81)), key=lambda cut: f1_at(cut)(scores, labels))


def calibrate(raw: EmbeddedClassifier, rows: Sequence[Row], version: str) -> Calibration:
    """Scales and thresholds from tuning rows, scored by a classifier without calibration."""
    scales: list[PlattScale] = []
    thresholds: list[float] = []
    for judges_response in (False, True):
        side = [row for row in rows if (row.response is not None) == judges_response]
        found = raw.score([(row.prompt, row.response) for row in side])
        chances = np.clip([score.p_unsafe for score in found], 1e-7, 1 - 1e-7)
        logits = np.log(chances / (1 - chances))
        labels = np.array([row.is_unsafe for row in side])
        scale = platt_scale(logits, labels, balanced_weights(labels))
        scores = np.array([scale.probability(float(logit)) for logit in logits])
        scales.append(scale)
        thresholds.append(
            response_threshold(scores, labels) if judges_response else prompt_threshold(side, scores)
        )
    return Calibration(version, scales[0], scales[1], thresholds[0], thresholds[1])

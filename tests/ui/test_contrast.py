from __future__ import annotations

import re
from importlib import resources

import pytest

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of ordinary size."""

TEXT_ON_GROUND = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "ink-muted") for ground in ("paper", "surface", "sunken")],
    ("accent", "paper"), ("accent", "surface"), ("accent", "accent-soft"), ("on-accent", "accent-fill"),
    ("on-accent", "accent-fill-strong"), ("warn", "warn-soft"), ("warn", "paper"), ("ink", "warn-soft"),
    ("ink-soft", "warn-soft"), ("danger", "danger-soft"), ("danger", "surface"), ("ink-soft", "danger-soft"),
    *[(f"code-{kind}", "sunken") for kind in ("keyword", "string", "name", "number")],
]  # fmt: skip
EDITOR = [
    ("code-ink", "code"),
    ("code-muted", "code"),
    ("code-ink", "code-raised"),
    ("code-muted", "code-raised"),
]


def tokens(scheme: str) -> dict[str, str]:
    sheet = resources.files("assets").joinpath("ui", "css", "tokens.css").read_text("utf-8")
    light, dark = sheet.split(":root {")[1].split("}")[0], sheet.split(".dark {")[1].split("}")[0]
    text = light if scheme == "light" else light + dark
    return dict(re.findall(r"--wb-([a-z-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_ON_GROUND + EDITOR)
def test_text_can_be_read_on_its_ground(scheme: str, ink: str, ground: str) -> None:
    palette = tokens(scheme)
    assert contrast(palette[ink], palette[ground]) >= LEAST_CONTRAST


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)

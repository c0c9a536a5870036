"""Sampling settings by purpose. The browser applies them (js/panel.js) and keeps people's own beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from workbench.core.params import PANEL_PARAMS, Control

_SAMPLING = ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty")
_DEFAULT = {spec.name: spec.panel_default for spec in PANEL_PARAMS if spec.name in _SAMPLING}

PRESETS: Mapping[str, Mapping[str, float | int | None]] = {
    "Default": _DEFAULT,
    "Precise": dict(zip(_SAMPLING, (0.0, 1.0, 0, 0.0, 0.0), strict=True)),
    "Balanced": dict(zip(_SAMPLING, (0.7, 0.95, 40, 0.0, 0.0), strict=True)),
    "Creative": dict(zip(_SAMPLING, (1.1, 0.95, 100, 0.6, 0.2), strict=True)),
}
"""Name -> values. Max tokens, stop and the system prompt are not sampling: no preset touches them."""


def presets_html() -> str:
    """The menu. Each entry carries its values; entries of the browser's own go into `data-wb-own-presets`.

    js/panel.js names the one whose values are set, and copies all settings as text for the Raw JSON box.
    """
    buttons = "".join(
        f'<button type="button" data-wb-preset="{escape(json.dumps(values))}">{escape(name)}</button>'
        for name, values in PRESETS.items()
    )
    return (
        '<details class="wb-menu wb-menu-down" id="wb-presets"><summary class="wb-text-button" '
        "data-wb-preset-name>Presets</summary>"
        f'<div class="wb-menu-list">{buttons}<div data-wb-own-presets></div>'
        '<form data-wb-save-preset><label for="wb-preset-name">Save the settings as</label>'
        '<input id="wb-preset-name" maxlength="30" autocomplete="off" placeholder="a name">'
        '<button type="submit">Save</button></form>'
        '<button type="button" class="wb-menu-apart" data-wb-copy-settings><span>Copy</span> the settings as '
        "JSON</button>"
        "</div></details>"
    )


def slider_names() -> list[str]:
    """The settings that are numbers: what a preset may hold and what can be reset one by one."""
    return [spec.name for spec in PANEL_PARAMS if spec.control is Control.SLIDER]

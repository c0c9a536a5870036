"""The look of the stock components, expressed in the page's own design tokens (assets/ui/css/tokens.css)."""

from __future__ import annotations

import gradio as gr

SANS = ("Geist", "system-ui", "-apple-system", "Segoe UI", "Helvetica Neue", "Liberation Sans", "sans-serif")
MONO = ("Geist Mono", "ui-monospace", "SF Mono", "Menlo", "Consolas", "Liberation Mono", "monospace")

# Gradio's variable -> our token. The tokens change with the colour scheme, so one value serves light and dark.
_COLOURS = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "ink-muted",
    "background_fill_primary": "surface",
    "background_fill_secondary": "sunken",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "border_color_accent_subdued": "line-strong",
    "color_accent_soft": "accent-soft",
    "link_text_color": "accent",
    "link_text_color_hover": "accent-strong",
    "link_text_color_active": "accent-strong",
    "link_text_color_visited": "accent",
    "code_background_fill": "sunken",
    "block_background_fill": "surface",
    "block_border_color": "line",
    "block_info_text_color": "ink-muted",
    "block_label_background_fill": "surface",
    "block_label_border_color": "line",
    "block_label_text_color": "ink-soft",
    "block_title_text_color": "ink",
    "panel_background_fill": "surface",
    "panel_border_color": "line",
    "accordion_text_color": "ink",
    "table_text_color": "ink",
    "checkbox_background_color": "surface",
    "checkbox_background_color_selected": "accent",
    "checkbox_background_color_hover": "surface",
    "checkbox_background_color_focus": "surface",
    "checkbox_border_color": "line-strong",
    "checkbox_border_color_selected": "accent",
    "checkbox_border_color_hover": "accent",
    "checkbox_border_color_focus": "accent",
    "checkbox_label_background_fill": "surface",
    "checkbox_label_background_fill_hover": "sunken",
    "checkbox_label_background_fill_selected": "accent-soft",
    "checkbox_label_border_color": "line",
    "checkbox_label_border_color_hover": "line-strong",
    "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "ink",
    "error_background_fill": "danger-soft",
    "error_border_color": "danger-line",
    "error_text_color": "danger",
    "error_icon_color": "danger",
    "input_background_fill": "surface",
    "input_background_fill_focus": "surface",
    "input_background_fill_hover": "surface",
    "input_border_color": "line-strong",
    "input_border_color_focus": "accent",
    "input_border_color_hover": "ink-muted",
    "input_placeholder_color": "ink-muted",
    "loader_color": "accent",
    "slider_color": "accent",
    "stat_background_fill": "accent",
    "table_border_color": "line",
    "table_even_background_fill": "surface",
    "table_odd_background_fill": "sunken",
    "table_row_focus": "accent-soft",
    "button_primary_background_fill": "accent-fill",
    "button_primary_background_fill_hover": "accent-fill-strong",
    "button_primary_border_color": "accent-fill",
    "button_primary_border_color_hover": "accent-fill-strong",
    "button_primary_text_color": "on-accent",
    "button_primary_text_color_hover": "on-accent",
    "button_secondary_background_fill": "surface",
    "button_secondary_background_fill_hover": "sunken",
    "button_secondary_border_color": "line-strong",
    "button_secondary_border_color_hover": "ink-muted",
    "button_secondary_text_color": "ink",
    "button_secondary_text_color_hover": "ink",
    "button_cancel_background_fill": "surface",
    "button_cancel_background_fill_hover": "danger-soft",
    "button_cancel_border_color": "danger-line",
    "button_cancel_border_color_hover": "danger",
    "button_cancel_text_color": "danger",
    "button_cancel_text_color_hover": "danger",
}

_MEASURES = {
    "body_text_size": "var(--wb-text-md)",
    "block_border_width": "1px",
    "block_info_text_size": "var(--wb-text-xs)",
    "block_label_text_size": "var(--wb-text-sm)",
    "block_label_text_weight": "500",
    "block_title_text_size": "var(--wb-text-sm)",
    "block_title_text_weight": "500",
    "block_padding": "var(--wb-space-3)",
    "block_radius": "var(--wb-radius-md)",
    "block_shadow": "none",
    "container_radius": "var(--wb-radius-md)",
    "layout_gap": "var(--wb-space-4)",
    "form_gap_width": "0px",
    "prose_text_size": "var(--wb-text-md)",
    "prose_header_text_weight": "600",
    "chatbot_text_size": "var(--wb-text-lg)",
    "checkbox_label_shadow": "none",
    "checkbox_label_text_size": "var(--wb-text-sm)",
    "checkbox_shadow": "none",
    "shadow_drop": "none",
    "shadow_drop_lg": "var(--wb-shadow)",
    "shadow_inset": "none",
    "input_border_width": "1px",
    "input_padding": "var(--wb-space-2) var(--wb-space-3)",
    "input_radius": "var(--wb-radius-sm)",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--wb-focus)",
    "input_text_size": "var(--wb-text-md)",
    "button_border_width": "1px",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "button_large_radius": "var(--wb-radius-sm)",
    "button_medium_radius": "var(--wb-radius-sm)",
    "button_small_radius": "var(--wb-radius-sm)",
    "button_large_text_size": "var(--wb-text-md)",
    "button_medium_text_size": "var(--wb-text-md)",
    "button_small_text_size": "var(--wb-text-sm)",
    "button_large_text_weight": "500",
    "button_medium_text_weight": "500",
    "button_small_text_weight": "500",
    "button_large_padding": "var(--wb-space-2) var(--wb-space-4)",
    "button_medium_padding": "var(--wb-space-2) var(--wb-space-3)",
    "button_small_padding": "var(--wb-space-1) var(--wb-space-2)",
    "button_transition": "background-color 120ms ease, border-color 120ms ease, color 120ms ease",
}

# These exist once for both schemes.
_WITHOUT_DARK = {"color_accent": "var(--wb-accent)"}


def workbench_theme() -> gr.themes.Base:
    """A Gradio theme whose every colour is one of the page's tokens."""
    theme = gr.themes.Base(font=SANS, font_mono=MONO)
    values = {name: f"var(--wb-{token})" for name, token in _COLOURS.items()} | _MEASURES
    for name, value in values.items():
        setattr(theme, name, value)
        if hasattr(theme, f"{name}_dark"):
            setattr(theme, f"{name}_dark", value)
    for name, value in _WITHOUT_DARK.items():
        setattr(theme, name, value)
    return theme

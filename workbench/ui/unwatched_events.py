"""The list of the page's events as Gradio's script need not watch it.

Svelte, in which that script is written, hands out plain lists and all that is in them by proxies, so as to notice their
changes. The events never change, and while the page is built each component looks for its own among all of them, twice:
a third of the script's time in a cold load. Lists of another class Svelte leaves as they are, and so are those that
are filtered from them.
"""

UNWATCHED_EVENTS = (
    "<script>Object.setPrototypeOf(window.gradio_config.dependencies, "
    "(class extends Array {}).prototype)</script>"
)
"""Markup for the end of the page's head: what it changes is described there, and read when the page is whole."""

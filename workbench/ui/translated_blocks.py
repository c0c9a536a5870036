"""The page's Blocks in the reader's language: its texts are translated where they leave the server.

Gradio's own way is a mark for each text, which the browser looks up. It resolves one mark a text and none that has a
brace, and knows no text with numbers in it; here the reader's language is known, so the text itself is sent. Whoever
reads English is sent what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from workbench.ui.assets import script_texts
from workbench.ui.languages import Language, language_for, reader
from workbench.ui.lean_blocks import LeanBlocks

_TEXTS = ("label", "info", "placeholder")
_SHOWS_ITS_VALUE = frozenset({"button", "html", "markdown"})
"""Components whose value is a text of ours. Another's is what somebody typed, chose or asked for."""


class PageTexts(gr.I18n):  # type: ignore[misc]  # gradio is untyped
    """The languages the page is given, by their tags in lower case."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        super().__init__(**{language.tag: dict(language.texts) for language in languages.values()})
        self.languages = languages

    @property
    def translations_dict(self) -> dict[str, dict[str, str]]:
        """What a browser gets: the reader's language, and of it what our scripts say. Nothing for English."""
        language = reader.get()
        if language is None:
            return {}
        return {language.tag: {text: language.text(text) for text in script_texts()}}


class TranslatedBlocks(LeanBlocks):
    """The same page, in the language its reader's browser asks for."""

    i18n_instance: PageTexts | None = None

    @property
    def config(self) -> dict[str, Any]:
        """What the page begins with. Gradio reads it anew for every visit."""
        language = reader.get()
        if language is None or self.i18n_instance is None:
            return self._config
        components = [
            {**component, "props": _translated(language, component["type"], component["props"])}
            for component in self._config["components"]
        ]
        return {
            **self._config, "components": components, "i18n_translations": self.i18n_instance.translations_dict
        }  # fmt: skip

    @config.setter
    def config(self, made: dict[str, Any]) -> None:
        self._config = made

    async def process_api(self, *args: Any, request: Any = None, **kwargs: Any) -> dict[str, Any]:
        """One event's outputs, made for its reader: an event runs apart from the request that asked for it."""
        if isinstance(request, gr.Request) and self.i18n_instance is not None:
            accepted = request.headers.get("accept-language", "")
            reader.set(language_for(accepted, self.i18n_instance.languages))
        outputs: dict[str, Any] = await super().process_api(*args, request=request, **kwargs)
        return outputs

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What each output is told, translated."""
        told = await super().postprocess_data(block_fn, predictions, state)
        if (language := reader.get()) is None:
            return told
        names = (block.get_block_name() for block in block_fn.outputs)
        return [_said(language, name, said) for name, said in zip(names, told, strict=True)]


def _said(language: Language, component: str, said: Any) -> Any:
    """An output as Gradio made it: a value, or the properties that change."""
    if isinstance(said, str) and component in _SHOWS_ITS_VALUE:
        return language.markup(said)
    if isinstance(said, dict) and said.get("__type__") == "update":
        return _translated(language, component, said)
    return said


def _translated(language: Language, component: str, props: dict[str, Any]) -> dict[str, Any]:
    """A component's properties with its texts translated; a choice keeps its value and is shown by another name."""
    names = (*_TEXTS, "value") if component in _SHOWS_ITS_VALUE else _TEXTS
    texts: dict[str, Any] = {
        name: language.markup(text) if "<" in text else language.text(text)
        for name in names
        if isinstance(text := props.get(name), str)
    }
    if isinstance(choices := props.get("choices"), list):
        texts["choices"] = [(language.text(str(name)), value) for name, value in choices]
    return {**props, **texts}

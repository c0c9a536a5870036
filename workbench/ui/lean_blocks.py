"""Gradio's Blocks, but an event costs what it changes, and the page is sent without what it has no use for.

Gradio builds every output of an event anew that the event left as it was, at every yield: for a chat's twelve outputs
10 ms on the loop that serves everybody, where the thread itself takes a tenth of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block

_API_FACTS = ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs")
"""What a component is to Gradio's own API page, which is not offered here: a quarter of the page's first answer."""


class LeanBlocks(gr.Blocks):  # type: ignore[misc]  # gradio is untyped
    """The same page for less work."""

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What each output is told: Gradio's own answer for those that change, and to stay for the others."""
        if block_fn.batch:
            return await self._answer(block_fn, predictions, state)
        changes = _changes(block_fn.outputs, predictions)
        if changes is None or len(changes) == len(block_fn.outputs):
            return await self._answer(block_fn, predictions, state)
        told = [gr.skip() for _ in block_fn.outputs]
        if changes:
            part = copy(block_fn)
            part.outputs = [block_fn.outputs[place] for place in changes]
            values = list(changes.values())
            answer = await self._answer(part, values if len(values) > 1 else values[0], state)
            for place, said in zip(changes, answer, strict=True):
                told[place] = said
        return told

    async def _answer(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        answer: list[Any] = await super().postprocess_data(block_fn, predictions, state)
        return answer

    def get_config_file(self) -> dict[str, Any]:
        """The page as the browser is given it.

        At every message of an event Gradio's script tells its progress to each output of every event so far, also where
        none is shown, and reads all that the output shows for it: of a thread, every message. The style sheet says
        what an answer that runs changes.
        """
        config: dict[str, Any] = super().get_config_file()
        for component in config["components"]:
            for fact in _API_FACTS:
                component.pop(fact, None)
        for event in config["dependencies"]:
            if event["show_progress"] == "hidden" and event["show_progress_on"] is None:
                event["show_progress_on"] = []
        return config

    def get_api_info(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing: no event of the page is offered to Gradio's own clients. The API is the one under /openai."""
        return {"named_endpoints": {}, "unnamed_endpoints": {}}


def _changes(outputs: Sequence[Block], predictions: Any) -> dict[int, Any] | None:
    """The new values by the place of their output, in its order; None for what only Gradio can read."""
    if isinstance(predictions, Mapping):
        by_id = {block._id: value for block, value in predictions.items() if isinstance(block, Block)}
        if len(by_id) < len(predictions) or not by_id.keys() <= {block._id for block in outputs}:
            return None
        said = [by_id.get(block._id, gr.skip()) for block in outputs]
    elif isinstance(predictions, Sequence) and 1 < len(outputs) == len(predictions):
        said = list(predictions)
    else:
        return None
    return {place: value for place, value in enumerate(said) if not _is_skip(value)}


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()

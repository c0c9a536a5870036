"""The page's Blocks: what goes wrong in an event is logged without its text, which may quote what was typed."""

from __future__ import annotations

from typing import Any

import gradio as gr
import structlog

from workbench.ui.translated_blocks import TranslatedBlocks

log = structlog.get_logger(__name__)

SAYS_NOTHING = "Something went wrong on the server. The operator's log says where."


class QuietBlocks(TranslatedBlocks):
    """Gradio prints tracebacks with their messages; here an error's type and place are logged in their stead."""

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One event's outputs. Raises: gr.Error, which Gradio shows and does not print."""
        try:
            outputs: dict[str, Any] = await super().process_api(*args, **kwargs)
        except gr.Error as told:
            told.print_exception = False
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, Gradio would print it
            log.error("an event of the page failed", kind=type(failure).__name__, where=_place(failure))
            raise gr.Error(SAYS_NOTHING, print_exception=False) from None
        return outputs


def _place(failure: BaseException) -> str:
    """File, line and function where it was raised."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}"

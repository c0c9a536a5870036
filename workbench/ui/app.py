"""The page's table of contents, and how it is mounted beside the API."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from workbench.service import Workbench
from workbench.ui import assets
from workbench.ui.account.page import build_account_page
from workbench.ui.compare.page import build_compare_page
from workbench.ui.context import PageContext
from workbench.ui.docs.page import build_docs_page
from workbench.ui.evaluate.page import build_evaluate_page
from workbench.ui.event_streams import EventStreams
from workbench.ui.first_page import FirstPage
from workbench.ui.frontend_chunks import chunk_links, page_chunks
from workbench.ui.gradio_door import GradioDoor
from workbench.ui.guard_lab.page import build_guard_lab_page
from workbench.ui.home.page import build_home_page
from workbench.ui.identity import CallerOf, local_user
from workbench.ui.languages import FOLDER, read_languages, shipped_folder
from workbench.ui.model_menus import ModelMenus
from workbench.ui.models.page import build_models_page
from workbench.ui.navigation import Link, Page, build_navigation
from workbench.ui.packed_files import PackedFiles
from workbench.ui.quiet_blocks import QuietBlocks
from workbench.ui.requests.page import build_requests_page
from workbench.ui.serverless.page import build_serverless_page
from workbench.ui.theme import workbench_theme
from workbench.ui.translated_blocks import PageTexts
from workbench.ui.unwatched_events import UNWATCHED_EVENTS
from workbench.ui.uploads import Uploads

EVENTS_AT_ONCE = 64
"""Page events that may run at once. The real limit is the service's gate: it knows the models and the keys."""
EVENTS_WAITING = 256
CACHE_SECONDS = (60, 600)
"""How often uploads are looked at, and how old they may become."""
_FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
"""Gradio's built scripts and style sheets; their names change with their content."""
_NO_STATISTICS = {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(sys.maxsize)}
"""Gradio reckons with the last 10,000 events after each one, for a page that is not offered here."""
UPLOADS = "uploads"
"""Their folder under the home folder."""

PAGES = {
    Page("home", "Home", "home"): build_home_page,
    Page("serverless", "Serverless", "serverless"): build_serverless_page,
    Page("compare", "Compare", "compare"): build_compare_page,
    Page("evaluate", "Evaluate", "evaluate"): build_evaluate_page,
    Page("guard-lab", "Guard lab", "guard"): build_guard_lab_page,
    Page("models", "Models", "models"): build_models_page,
    Page("requests", "Requests", "requests"): build_requests_page,
    Page("account", "Account", "account"): build_account_page,
    Page("docs", "Docs", "docs"): build_docs_page,
}
"""The pages in the sidebar's order. A page is in the sidebar when it is here."""

FIRST_PAGE = "serverless"
"""Where an address without a page leads: most people come to talk to a model."""

LATER = frozenset({"file", "checkboxgroup"})
"""Components that no page needs before somebody opens it: they are fetched then."""

LINKS = (Link("API reference", "code", "openai/docs"),)


def build_ui(workbench: Workbench, caller_of: CallerOf = local_user) -> gr.Blocks:
    """All pages as one Gradio app. A tab is built into the browser's page when it is first opened."""
    with QuietBlocks(
        title="Workbench",
        fill_width=True,
        fill_height=True,
        analytics_enabled=False,
        delete_cache=CACHE_SECONDS,
    ) as ui:
        menus, candidates = ModelMenus(workbench, caller_of), gr.State([[], "", ""])
        build_navigation(tuple(PAGES), LINKS, first=FIRST_PAGE)
        with gr.Tabs(selected=FIRST_PAGE, elem_id="wb-pages") as tabs:
            for page, build in PAGES.items():
                with gr.Tab(page.label, id=page.name, elem_id=f"page-{page.name}") as tab:
                    build(PageContext(ui, tabs, tab, workbench, caller_of, menus, candidates))
        menus.bind(ui, tabs)
    ui.queue(default_concurrency_limit=EVENTS_AT_ONCE, max_size=EVENTS_WAITING, api_open=False)
    return ui


def mount_ui(parent: FastAPI, workbench: Workbench, caller_of: CallerOf = local_user) -> FastAPI:
    """Mounts the page at the parent's root, and its own files under /ui. Mount everything else first."""
    uploads = Uploads(workbench.settings.home / UPLOADS)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads.folder)  # these are read when the app below is made
    os.environ.update(_NO_STATISTICS)
    parent.mount(assets.ROUTE, PackedFiles(assets.folder(), assets.written()), name="assets")
    parent.mount("/assets", PackedFiles(_FRONTEND / "assets", hashed=True), name="frontend")
    ui = build_ui(workbench, caller_of)
    languages = read_languages(shipped_folder(), workbench.settings.home / FOLDER)
    site: FastAPI = gr.mount_gradio_app(
        parent,
        ui,
        path="/",
        theme=workbench_theme(),
        head=assets.head_html(),
        i18n=PageTexts(languages),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        max_file_size=workbench.settings.max_body_bytes,
        root_path=workbench.settings.root_path or None,
    )
    # Mounted, Gradio would open any file for an event; it checks paths only where it believes it was launched.
    ui.has_launched = True
    mounted = site.routes[-1]
    if not isinstance(mounted, Mount):
        raise TypeError("Gradio is not where it was mounted")
    chunks = page_chunks(_FRONTEND, {block.get_block_name() for block in ui.blocks.values()} - LATER)
    page = FirstPage(mounted.app, languages, assets.links() + chunk_links(chunks), UNWATCHED_EVENTS)
    mounted.app = GradioDoor(EventStreams(page), uploads)
    return site

from __future__ import annotations

import re
from html import unescape

import pytest

from snippets import LANGUAGES
from workbench.core.chat import Tool
from workbench.core.errors import UnsupportedParameter
from workbench.core.params import GenerationParams
from workbench.ui.api_view.code import KEY_PLACEHOLDER, CallKind, install_html, snippet_html, snippet_request
from workbench.ui.params.panel import PanelSettings
from workbench.ui.params.raw_settings import RawSettings
from workbench.ui.params.request_options import Options

ADDRESS = "http://127.0.0.1:7860/openai/v1"
SETTINGS = PanelSettings(params=GenerationParams(temperature=0.5))
CLIENTS = [(language.name, client.name) for language in LANGUAGES.values() for client in language.clients]


def code_of(kind: CallKind, language: str, client: str | None = None, key: str | None = None) -> str:
    request = snippet_request("m", SETTINGS, "Hello", ADDRESS, kind=kind, key=key)
    return snippet_html(request, language, client)[0]


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        (CallKind.CHAT, "/chat/completions"),
        (CallKind.COMPLETION, "/completions"),
        (CallKind.GUARDED, "moderations"),
    ],
)
def test_each_kind_of_call_has_its_code(kind: CallKind, route: str) -> None:
    assert route in text_of(code_of(kind, "curl"))


@pytest.mark.parametrize(("language", "client"), CLIENTS)
@pytest.mark.parametrize("kind", CallKind)
def test_the_readers_key_has_one_unbroken_place_in_the_editor(
    kind: CallKind, language: str, client: str
) -> None:
    shown = code_of(kind, language, client, key=KEY_PLACEHOLDER)
    places = text_of(shown).count(KEY_PLACEHOLDER)
    assert places > 0
    assert shown.count(KEY_PLACEHOLDER) == places
    assert "WORKBENCH_API_KEY" not in shown


@pytest.mark.parametrize(
    "settings",
    [
        PanelSettings(system="Be brief"),
        PanelSettings(options=Options(tools=(Tool("look"),))),
        PanelSettings(options=Options(raw=RawSettings(template_kwargs={"a": 1}))),
    ],
)
def test_a_completion_refuses_what_it_cannot_carry(settings: PanelSettings) -> None:
    with pytest.raises(UnsupportedParameter, match="A completion carries no"):
        snippet_request("m", settings, "Hello", ADDRESS, kind=CallKind.COMPLETION)


def test_what_must_be_in_place_first_is_said() -> None:
    assert "pip install" in install_html("pip install openai")
    assert "export WORKBENCH_API_KEY" in install_html(None)
    assert "export" not in install_html("pip install openai", has_key=True)
    assert install_html(None, has_key=True) == ""


@pytest.mark.parametrize(("language", "client"), CLIENTS)
def test_a_guarded_pipeline_asks_the_guard_that_was_chosen(language: str, client: str) -> None:
    request = snippet_request("m", SETTINGS, "Hello", ADDRESS, kind=CallKind.GUARDED, guard="llama-guard-3")
    assert "llama-guard-3" in text_of(snippet_html(request, language, client)[0])
    plain = snippet_request("m", SETTINGS, "Hello", ADDRESS, kind=CallKind.CHAT, guard="llama-guard-3")
    assert "llama-guard-3" not in text_of(snippet_html(plain, language, client)[0])

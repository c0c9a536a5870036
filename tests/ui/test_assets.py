from __future__ import annotations

import re

from workbench.ui import assets


def test_every_sheet_and_script_of_the_folder_is_in_the_file_that_is_sent() -> None:
    assert {file.stem for file in (assets.folder() / "css").glob("*.css")} == set(assets.STYLE_SHEETS)
    assert {file.stem for file in (assets.folder() / "js").glob("*.js")} == set(assets.SCRIPTS)


def test_icons_are_in_the_sheet_and_fonts_lie_beside_it() -> None:
    sheet = assets.written()["css/page.css"].decode()
    others = {target for target in re.findall(r'url\("([^"]+)"\)', sheet) if not target.startswith("data:")}
    assert "data:image/svg+xml;base64," in sheet
    assert others
    assert all((assets.folder() / "css" / target).resolve().is_file() for target in others)


def test_what_is_fetched_early_is_what_the_page_uses() -> None:
    addresses = re.findall(r'(?:href|src)="([^"]+)"', assets.head_html())
    assert len(addresses) == 2
    assert all(f'href="{address}"' in assets.links() for address in addresses)


def test_no_rule_asks_what_the_whole_page_or_any_block_has() -> None:
    """Such a rule has the browser look for what it changes through the whole page at every paint of a thread."""
    sheet = assets.written()["css/page.css"].decode()
    asked = re.findall(
        r"(?:body|html|main|:root|\.block|\.gradio-container)(?::not\(|:is\()*:has\([^)]*\)", sheet
    )
    assert asked == [":root:has(> body.dark)"]

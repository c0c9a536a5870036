from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, anchors, links, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    lost = []
    for link in links(document):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if (
            not target.exists()
            or not target.is_relative_to(ROOT)
            or (fragment and fragment not in anchors(target))
        ):
            lost.append(link)
    assert lost == []


def test_every_page_is_reached_from_the_index() -> None:
    docs = ROOT / "docs"
    index = docs / "README.md"
    seen, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        pages = {
            inner for target in targets for inner in (target.glob("*.md") if target.is_dir() else [target])
        }
        waiting += [
            target for target in pages - seen if target.suffix == ".md" and target.is_relative_to(docs)
        ]
    assert sorted(map(name, set(docs.rglob("*.md")) - seen)) == []


def test_every_set_of_others_is_in_the_notices() -> None:
    sets = tomllib.loads((ROOT / "assets" / "probes" / "catalogue.toml").read_text("utf-8"))
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8")
    others = {about["file"] for about in sets.values() if not about["file"].startswith("own/")}
    assert others
    assert [file for file in sorted(others) if file not in notices] == []

from __future__ import annotations

from workbench.core.params import PARAMS
from workbench.ui.docs.view import docs_html


def test_every_parameter_is_explained_with_its_range_and_both_defaults() -> None:
    html = docs_html("http://here/openai/v1")
    for spec in PARAMS.values():
        assert f"<code>{spec.name}</code>" in html
    assert "<td>0 to 2</td><td>1</td><td>0.7</td>" in html
    assert "<td>0 or more</td><td>–</td><td>2000</td>" in html
    assert "<td>any whole number</td>" in html


def test_the_api_is_named_by_the_address_the_reader_uses() -> None:
    assert "<code>http://here/&lt;x&gt;/openai/v1</code>" in docs_html("http://here/<x>/openai/v1")

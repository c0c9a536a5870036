from __future__ import annotations

import re
from html import unescape

import pytest

from workbench.ui.code_block import code_html


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("language", ["python", "javascript", "shell"])
@pytest.mark.parametrize(
    "code",
    [
        'x = """a\nb"""\n\n# done\n',
        "a < b & c > 'd'",
        "echo \"$HOME\" `pwd` 'q'\n",
        "  indented\n\tend",
        "</code><script>1</script>",
    ],
)
def test_the_text_of_the_block_is_the_code(code: str, language: str) -> None:
    assert shown(code_html(code, language, name="Code")) == code.rstrip("\n")


def test_every_line_has_a_number_of_its_own() -> None:
    assert code_html("a\nb\n\nc\n", "python", name="Code").count('class="wb-line"') == 4

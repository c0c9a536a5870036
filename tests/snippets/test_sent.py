"""A call's own body gives the code that its request gave."""

from __future__ import annotations

import pytest

from snippets import Endpoint, SentRequest, render, terminal_block, wire_body
from snippets.examples import BASE_URL, EXAMPLES
from tests.snippets.matrix import each_client

UNGUARDED = [name for name, example in EXAMPLES.items() if not example.is_guarded]


@pytest.mark.parametrize("example", UNGUARDED)
@each_client
def test_the_body_alone_is_enough(example: str, language: str, client: str) -> None:
    request = EXAMPLES[example]
    sent = SentRequest(request.endpoint, wire_body(request), request.base_url, request.key)
    assert render(sent, language, client) == render(request, language, client)


def test_a_block_for_the_terminal_exports_the_key_and_does_not_write_it_into_the_code() -> None:
    sent = SentRequest(Endpoint.COMPLETIONS, {"model": "m", "prompt": "p"}, BASE_URL, key="wb-secret")
    block = terminal_block(sent, "python")
    assert block.startswith("export WORKBENCH_API_KEY=wb-secret\n")
    assert block.count("wb-secret") == 1


@pytest.mark.parametrize("endpoint", Endpoint)
def test_a_body_without_its_prompt_is_no_request(endpoint: Endpoint) -> None:
    with pytest.raises(KeyError):
        SentRequest(endpoint, {"model": "m"}, BASE_URL)

"""A call that was made already, to be written as code from its JSON body alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from snippets.literals import Json
from snippets.request import Endpoint


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One POST: its route, the body as it went over the wire, and where it goes (see SnippetRequest).

    Raises: KeyError for a body without the messages or the prompt of its route.
    """

    endpoint: Endpoint
    body: Mapping[str, Json]
    base_url: str
    key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuses what no template could write."""
        self.body["messages" if self.endpoint is Endpoint.CHAT else "prompt"]

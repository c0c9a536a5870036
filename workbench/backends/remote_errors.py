"""A remote endpoint's failures as ours, and which of them are worth another try."""

from __future__ import annotations

import random

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from workbench.core.errors import (
    BackendFailed,
    InvalidRequest,
    RateLimited,
    Unavailable,
    WorkbenchError,
)

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
"""An endpoint that asks for a longer pause gets no second try: the caller is told instead."""
MOST_RETRY_AFTER_SECONDS = 120.0
NOTHING_CAME = (
    "The remote endpoint accepted the request and broke off before the first token. "
    "The prompt may be too long for it."
)
"""llama-cpp-python's server notices too long a prompt only after it has answered a streamed request with 200."""
_WORTH_A_RETRY = frozenset({408, 502, 503, 504})
_REFUSALS = frozenset({400, 404, 413, 422})


class AnswerBrokenOff(Exception):
    """The connection was lost after the endpoint had accepted the request, so that waiting is of no use.

    `has_text`: a part of the answer had come.
    """

    def __init__(self, *, has_text: bool) -> None:
        super().__init__()
        self.has_text = has_text


def as_workbench_error(failure: Exception) -> WorkbenchError:
    """The failure as one of ours: the endpoint's own message for what the caller can mend, ours for the rest."""
    match failure:
        case AnswerBrokenOff(has_text=True):
            return BackendFailed("The remote endpoint broke off in the middle of its answer.")
        case AnswerBrokenOff():
            return BackendFailed(NOTHING_CAME)
        case APITimeoutError():
            return Unavailable(
                "The remote endpoint did not answer in time. Try again.", retry_after_seconds=5
            )
        case APIConnectionError():
            return Unavailable(
                "The remote endpoint cannot be reached. Try again later.", retry_after_seconds=10
            )
        case APIStatusError():
            return _from_status(failure)
        case APIError():
            return BackendFailed(f"The remote endpoint failed in the middle: {failure.message}")
        case _:
            return BackendFailed("The remote endpoint answered in a way that cannot be read.")


def _from_status(failure: APIStatusError) -> WorkbenchError:
    status = failure.status_code
    if status in _REFUSALS:
        return InvalidRequest(
            f"The remote endpoint refused the request: {failure.message}", param=failure.param
        )
    if status in (401, 403):
        return BackendFailed("The remote endpoint refused its key. The operator must correct it.")
    wait = _retry_after(failure)
    if status == 429:
        return RateLimited(
            "The remote endpoint is busy, please try again later",
            retry_after_seconds=min(5.0 if wait is None else wait, MOST_RETRY_AFTER_SECONDS),
        )
    return Unavailable(
        f"The remote endpoint answered {status}. Try again later.",
        retry_after_seconds=min(5.0 if wait is None else wait, MOST_RETRY_AFTER_SECONDS),
    )


def _retry_after(failure: APIStatusError) -> float | None:
    """The seconds of a Retry-After header; None without one, or for a date."""
    text = failure.response.headers.get("retry-after", "")
    return float(text) if text.replace(".", "", 1).isdigit() else None


def is_endpoints_fault(failure: Exception) -> bool:
    """Whether it counts against the endpoint: it could not be reached, or failed by itself."""
    if isinstance(failure, APIStatusError):
        return failure.status_code >= 500
    return isinstance(failure, APIConnectionError | AnswerBrokenOff)


def pause_before_retry(failure: Exception, attempt: int) -> float | None:
    """Seconds to wait after failed attempt number `attempt` (from 1), or None when another try is of no use.

    Only a request that cannot have been answered is sent again. The pause doubles, and is spread over its upper half
    so that callers do not return together.
    """
    if attempt >= ATTEMPTS:
        return None
    asked: float | None = None
    if isinstance(failure, APIStatusError):
        if failure.status_code not in _WORTH_A_RETRY:
            return None
        asked = _retry_after(failure)
    elif not isinstance(failure, APIConnectionError) or isinstance(failure, APITimeoutError):
        return None
    pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0) if asked is None else asked  # noqa: S311
    return pause if pause <= LONGEST_PAUSE_SECONDS else None

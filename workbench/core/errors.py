"""The error tree: every failure a user can meet, each rendered by the API as OpenAI's error object.

WorkbenchError                     500 server_error
├── InvalidRequest                 400 invalid_request_error
│   ├── UnsupportedParameter       400 unsupported_parameter
│   ├── ContextLengthExceeded      400 context_length_exceeded
│   └── ContentFiltered            400 content_filter
├── InvalidApiKey                  401 invalid_api_key
├── InvalidLogin                   401 invalid_login
├── Forbidden                      403
│   └── ModelNotAllowed            403 model_not_allowed
├── NotFound                       404
│   └── ModelNotFound              404 model_not_found
├── RequestTooLarge                413 request_too_large
├── RateLimited                    429 requests / rate_limit_exceeded
├── QuotaExhausted                 429 insufficient_quota
├── Unavailable                    503 server_error, with Retry-After
│   ├── ModelLoading               503 model_loading
│   ├── EngineRestarting           503 engine_restarting
│   ├── Overloaded                 503 overloaded
│   └── HubUnreachable             503 model_unavailable
├── BackendFailed                  500 a remote or local backend failed in the middle
├── ConfigurationError             start-up: settings, catalogue, port
└── WeightsError                   weights missing, damaged, or no room for them
"""

from __future__ import annotations

from collections.abc import Mapping


class WorkbenchError(Exception):
    """Anything Workbench reports to a user.

    `message` names the field, the reason and the cure. `param` is the request field at fault, or None.
    `retry_after_seconds` becomes the Retry-After header; `headers` are added as they are; `detail` is merged
    into the error object (plain JSON values only).
    """

    status: int = 500
    type: str = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code
        self.retry_after_seconds = retry_after_seconds
        self.headers: dict[str, str] = dict(headers or {})
        self.detail: dict[str, object] = dict(detail or {})

    def as_openai(self) -> dict[str, object]:
        """The `{"error": {...}}` object of OpenAI's API: message, type, param and code are always there."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
                **self.detail,
            }
        }


class InvalidRequest(WorkbenchError):
    """The request is wrong and sending it again will not help; `param` names the field."""

    status = 400
    type = "invalid_request_error"


class UnsupportedParameter(InvalidRequest):
    """A field, or a value of it, that this model or server does not honour."""

    code = "unsupported_parameter"


class ContextLengthExceeded(InvalidRequest):
    """Prompt plus asked tokens do not fit the model's context."""

    code = "context_length_exceeded"

    def __init__(self, *, limit: int, prompt_tokens: int, asked_tokens: int, param: str) -> None:
        super().__init__(
            f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt_tokens + asked_tokens} tokens ({prompt_tokens} in the prompt, {asked_tokens} in "
            f"the completion). "
            "Shorten the prompt or lower max_tokens.",
            param=param,
            detail={"n_ctx": limit, "n_prompt_tokens": prompt_tokens},
        )


class ContentFiltered(InvalidRequest):
    """The guard blocked the input; `detail` carries its verdict."""

    code = "content_filter"


class InvalidApiKey(WorkbenchError):
    """No key, an unknown, revoked or expired one, or one of the wrong kind."""

    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class InvalidLogin(WorkbenchError):
    """An unknown account, a wrong password or a session that has ended: the message does not say which."""

    status = 401
    type = "invalid_request_error"
    code = "invalid_login"

    def __init__(self, message: str = "The name or the password is wrong.") -> None:
        super().__init__(message)


class Forbidden(WorkbenchError):
    """Known caller, not allowed: foreign Host or Origin, or an admin's action."""

    status = 403
    type = "invalid_request_error"


class ModelNotAllowed(Forbidden):
    """The key's scope leaves this model out."""

    code = "model_not_allowed"


class NotFound(WorkbenchError):
    """No such route or row."""

    status = 404
    type = "invalid_request_error"


class ModelNotFound(NotFound):
    """The model id is not in the catalogue."""

    code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The model `{model}` does not exist or you do not have access to it. GET "
            f"/openai/v1/models lists what does.",
            param="model",
        )


class RequestTooLarge(WorkbenchError):
    """The body is over the size limit."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class RateLimited(WorkbenchError):
    """All places are taken and the queue is full or the wait ran out."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"


class QuotaExhausted(WorkbenchError):
    """The key's own allowance is used up; retrying does not help before it is renewed."""

    status = 429
    type = "insufficient_quota"
    code = "insufficient_quota"

    def __init__(self, message: str, **kwargs: object) -> None:
        super().__init__(message, headers={"x-should-retry": "false"}, **kwargs)  # type: ignore[arg-type]


class Unavailable(WorkbenchError):
    """Not now; a retry helps."""

    status = 503


class ModelLoading(Unavailable):
    """The model is on its way into memory."""

    code = "model_loading"


class EngineRestarting(Unavailable):
    """The model's loop died and is being started again."""

    code = "engine_restarting"


class Overloaded(Unavailable):
    """No memory or no engine for this at the moment."""

    code = "overloaded"


class Stopping(Overloaded):
    """The server is stopping."""

    def __init__(self, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(
            "The server is stopping. Send it again when it is back.", retry_after_seconds=retry_after_seconds
        )


class HubUnreachable(Unavailable):
    """A model is not on this machine, and the hub that has it does not answer."""

    code = "model_unavailable"


class BackendFailed(WorkbenchError):
    """A backend failed while it worked on this request; other requests go on."""


class ConfigurationError(WorkbenchError):
    """Settings, catalogue or port are wrong; the message is one line that names the cure."""


class WeightsError(WorkbenchError):
    """Weights are missing, damaged, or there is no room for them."""

    status = 503
    code = "model_unavailable"

"""Our errors on their way between processes: pickling an exception keeps neither its keywords nor its type."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.core import errors
from workbench.core.errors import WorkbenchError


@dataclass(frozen=True, slots=True)
class Failure:
    """A WorkbenchError as plain values."""

    kind: str
    message: str
    param: str | None = None
    code: str | None = None
    retry_after_seconds: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    detail: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: WorkbenchError) -> Failure:
        """The error's values; the kind of an error defined elsewhere is that of its next base here."""
        kind = next(base for base in type(error).__mro__ if base.__module__ == errors.__name__)
        return cls(
            kind.__name__,
            error.message,
            error.param,
            error.code,
            error.retry_after_seconds,
            error.headers,
            error.detail,
        )

    def error(self) -> WorkbenchError:
        """The same error again. Constructors with arguments of their own are passed by: the message is made."""
        kind: type[WorkbenchError] = getattr(errors, self.kind)
        made = kind.__new__(kind)
        WorkbenchError.__init__(
            made,
            self.message,
            param=self.param,
            code=self.code,
            retry_after_seconds=self.retry_after_seconds,
            headers=self.headers,
            detail=self.detail,
        )
        return made

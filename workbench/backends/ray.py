"""A model on a cluster as a Backend: the front door's side of the handle to its replicas."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from workbench.cluster.connection import join
from workbench.cluster.deployment import DEPLOYMENT, application_name
from workbench.cluster.failure import Failure
from workbench.cluster.replica import Asked
from workbench.core.backend import CallContext, ModelCard, ModelInfo, Progress
from workbench.core.chat import Delta, GenerationRequest, Prompt, StreamEvent
from workbench.core.errors import BackendFailed, Overloaded, Unavailable, WorkbenchError
from workbench.core.settings import Settings

ATTEMPTS = 3
"""How often a request that has no answer yet is given to a replica."""
_INFO_SECONDS = 600.0


class RayBackend:
    """One model of a cluster; Ray Serve chooses the replica with the shorter queue of two."""

    def __init__(self, handle: Any, info: ModelInfo) -> None:
        self._handle = handle
        self._info = info

    @property
    def info(self) -> ModelInfo:
        """What a replica said when this was opened; `places` are those of all replicas there may be."""
        return self._info

    async def tokenize(self, prompt: Prompt) -> tuple[int, ...]:
        """The prompt's token ids, by any replica."""
        try:
            found = await self._handle.tokenize.remote(prompt)
        except Exception as failure:
            raise _as_workbench_error(failure, has_begun=False) from failure
        if isinstance(found, Failure):
            raise found.error()
        ids: tuple[int, ...] = found
        return ids

    async def close(self) -> None:
        """Nothing: the cluster goes on."""

    async def stream(
        self, request: GenerationRequest, context: CallContext
    ) -> AsyncGenerator[StreamEvent, None]:
        """The request's events. A replica that dies before its first event is replaced by another one.

        Raises: the replica's own error, BackendFailed when it dies in the middle, Unavailable, Overloaded.
        """
        await context.turn()
        asked = Asked(request, context.scope, context.request_id, context.places())
        for attempt in range(1, ATTEMPTS + 1):
            has_begun = False
            answer = self._handle.options(stream=True).stream.remote(asked)
            try:
                async for batch in answer:
                    for event in batch:
                        if isinstance(event, Failure):
                            raise event.error()
                        has_begun = True
                        if isinstance(event, Delta):
                            # A replica on another machine has another clock.
                            event = replace(event, at=time.monotonic())
                            if event.finish_reason is not None:
                                context.finish_choice()
                        yield event
                return
            except WorkbenchError:
                raise
            except Exception as failure:
                if has_begun or attempt == ATTEMPTS or not _is_death(failure):
                    raise _as_workbench_error(failure, has_begun=has_begun) from failure
            finally:
                _cancel(answer)


def _cancel(answer: Any) -> None:
    """Ends a request wherever it is, which costs nothing when it has ended."""
    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

    # What was never given to a replica has none to tell: `cancel` then repeats why, which the caller has heard.
    with suppress(RayError, RayServeException):
        answer.cancel()


def _is_death(failure: Exception) -> bool:
    from ray.exceptions import RayActorError

    return isinstance(failure, RayActorError)


def _as_workbench_error(failure: Exception, *, has_begun: bool) -> WorkbenchError:
    """Ray's failure as one of ours; its text may quote arguments and is left out."""
    from ray.exceptions import RayActorError
    from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

    if has_begun:
        return BackendFailed("The replica that was answering is gone. Send the request again.")
    match failure:
        case BackPressureError():
            return Overloaded("All replicas are full. Try again shortly.", retry_after_seconds=2)
        case RayActorError() | DeploymentUnavailableError():
            return Unavailable("No replica of this model answers. Try again shortly.", retry_after_seconds=5)
        case _:
            return BackendFailed(f"The cluster failed: {type(failure).__name__}.")


def open_backend(card: ModelCard, settings: Settings, progress: Progress) -> RayBackend:
    """Connects to the model's replicas; blocking.

    Raises: ConfigurationError without Ray, Unavailable when no cluster is up or it does not serve this model.
    """
    progress("joining the cluster", 0.1)
    join(settings.home)
    from ray import serve
    from ray.serve.exceptions import RayServeException

    name = application_name(card.id)
    try:
        handle = serve.get_deployment_handle(DEPLOYMENT, name)
        if name not in serve.status().applications:
            raise Unavailable(f"The cluster does not serve `{card.id}`. Start it with this catalogue.")
        progress("asking a replica", 0.5)
        info: ModelInfo = handle.info.remote().result(timeout_s=_INFO_SECONDS)
    except (RayServeException, TimeoutError) as failure:
        raise Unavailable(f"The cluster does not serve `{card.id}` ({type(failure).__name__}).") from failure
    progress("ready", 1.0)
    return RayBackend(handle, info)

"""What a model hub's errors mean, in one place: which model, what is wrong, and the cure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.core.backend import ModelCard
from workbench.core.errors import HubUnreachable, WeightsError


@contextmanager
def explained_hub_errors(card: ModelCard) -> Iterator[None]:
    """Turns what the hub's client can raise about this model into one of ours.

    Raises: WeightsError for a model that is gated, missing or misnamed; HubUnreachable when the hub does not answer.
    """
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: what its client raises
        GatedRepoError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as failure:
        raise WeightsError(
            f"The model `{card.source}` is gated: accept its licence on its hub page, then set HF_TOKEN to a token of "
            "that account and start again."
        ) from failure
    except RevisionNotFoundError as failure:
        raise WeightsError(f"The model `{card.source}` has no revision {card.revision!r}.") from failure
    except (RepositoryNotFoundError, HFValidationError) as failure:
        raise WeightsError(
            f"No model `{card.source}` on the hub and no such folder here. Check the id; a private one needs HF_TOKEN."
        ) from failure
    except (LocalEntryNotFoundError, HTTPError, OSError) as failure:
        raise HubUnreachable(
            f"The model `{card.source}` is not on this machine and the hub cannot be reached. Connect, or give a local "
            "folder as its source."
        ) from failure

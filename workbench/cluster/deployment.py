"""A catalogue entry as a Ray Serve application: how many replicas, and what each may use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from workbench.cluster.replica import ModelReplica
from workbench.core.backend import ModelCard
from workbench.core.errors import ConfigurationError
from workbench.core.settings import Settings

DEPLOYMENT = "ModelReplica"
_OF_THE_FRONT_DOOR: dict[str, Any] = {
    "admin_password": None,
    "admin_password_file": None,
    "database_url": None,
}
"""Settings that a replica has no use for, secrets among them."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a model grows. Replicas come and go by `ongoing`: requests at a time that one of them should have."""

    replicas: int = 1
    most_replicas: int = 1
    ongoing: float = 8.0
    gpus: float = 0.0
    """Of each replica; a half lets two share one."""
    cpus: float = 1.0
    up_seconds: float = 10.0
    """How long more must be wanted before a replica is added."""
    down_seconds: float = 300.0

    def __post_init__(self) -> None:
        """Refuses what cannot be. Raises: ConfigurationError."""
        if not 1 <= self.replicas <= self.most_replicas:
            raise ConfigurationError("--replicas must be at least 1 and at most --max-replicas.")


def application_name(model: str) -> str:
    """The model's name in Ray Serve, which allows few characters in one."""
    return f"workbench-{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def application(card: ModelCard, settings: Settings, scaling: Scaling) -> Any:
    """The card's application, not yet running."""
    from ray import serve

    size: dict[str, Any] = {"num_replicas": scaling.replicas}
    if scaling.most_replicas > scaling.replicas:
        size = {
            "autoscaling_config": {
                "min_replicas": scaling.replicas,
                "initial_replicas": scaling.replicas,
                "max_replicas": scaling.most_replicas,
                "target_ongoing_requests": scaling.ongoing,
                "upscale_delay_s": scaling.up_seconds,
                "downscale_delay_s": scaling.down_seconds,
                "metrics_interval_s": min(1.0, scaling.up_seconds),
                "look_back_period_s": max(2.0, scaling.up_seconds / 2),
            }
        }
    deployment = serve.deployment(
        ModelReplica,
        name=DEPLOYMENT,
        # The engine has a queue of its own, so a replica may hold more than it generates at once.
        max_ongoing_requests=max(16, round(4 * scaling.ongoing)),
        ray_actor_options={"num_cpus": scaling.cpus, "num_gpus": scaling.gpus},
        health_check_period_s=2.0,
        health_check_timeout_s=30.0,
        graceful_shutdown_timeout_s=30.0,
        **size,
    )
    served = replace(card, backend="local")
    return deployment.bind(served, settings.model_copy(update=_OF_THE_FRONT_DOOR), scaling.most_replicas)

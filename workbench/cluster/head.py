"""`workbench cluster up`: starts or joins a Ray, deploys the catalogue's `ray` entries, stays until it is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence

from workbench.cluster.connection import forget, start
from workbench.cluster.deployment import Scaling, application, application_name
from workbench.core.backend import ModelCard
from workbench.core.settings import Settings


def run_cluster(
    cards: Sequence[ModelCard],
    settings: Settings,
    scaling: Scaling,
    address: str | None,
    say: Callable[[str], None],
) -> None:
    """Serves the cards until SIGTERM or Ctrl-C, then takes down what it put up. Nothing listens for HTTP.

    Raises: ConfigurationError without Ray.
    """
    start(settings.home, address)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # after Ray, which puts handlers of its own there
        signal.signal(number, lambda *_: stopped.set())
    import ray
    from ray import serve

    try:
        serve.start(proxy_location="Disabled")
        for card in cards:
            say(f"{card.id}: loading {scaling.replicas} of at most {scaling.most_replicas} replicas")
            serve.run(application(card, settings, scaling), name=application_name(card.id), route_prefix=None)
            say(f"{card.id}: ready")
        say(
            "The cluster is up. `workbench serve` in another terminal is its front door; Ctrl-C ends the cluster."
        )
        stopped.wait()
    finally:
        forget(settings.home)
        if address is None:
            serve.shutdown()
        else:
            for card in cards:
                serve.delete(application_name(card.id))
        ray.shutdown()

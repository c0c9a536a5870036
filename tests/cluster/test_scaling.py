from __future__ import annotations

import pytest

from workbench.cluster.connection import FILE_NAME, join
from workbench.cluster.deployment import Scaling, application_name
from workbench.core.errors import ConfigurationError, WorkbenchError
from workbench.core.settings import Settings


def test_more_replicas_than_the_most_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="max-replicas"):
        Scaling(replicas=3, most_replicas=2)


def test_names_of_applications_are_plain_and_differ() -> None:
    names = {application_name(model) for model in ("a/b", "a:b", "ä b")}
    assert len(names) == 3
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_without_a_cluster_the_cure_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert not (settings.home / FILE_NAME).exists()
    with pytest.raises(WorkbenchError, match=r"cluster up|\[ray\]"):
        join(settings.home)

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.snippets.programs import Programs
from tests.snippets.recorder import Recorder, recording_server


@pytest.fixture(scope="session")
def recorder_of_session() -> Iterator[Recorder]:
    with recording_server() as recorder:
        yield recorder


@pytest.fixture
def recorder(recorder_of_session: Recorder) -> Recorder:
    recorder_of_session.reset()
    return recorder_of_session


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    runner = Programs(tmp_path_factory.mktemp("programs"))
    yield runner
    runner.close()

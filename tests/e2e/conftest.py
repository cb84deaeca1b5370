"""A pool as a process, for tests that drive it from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import RunningServer, environment
from tests.warm_servers import warm_server


@pytest.fixture
def pool_server(tmp_path: Path) -> Iterator[RunningServer]:
    """`comp-pool serve` on an empty embedded database."""
    with warm_server(tmp_path / "pool") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who never ran comp-pool before."""
    return environment(tmp_path / "home")

"""The schema over a pool of its own for each test, without HTTP."""

from pathlib import Path

import pytest

from resolvers.runtime import Runtime
from tests.pool_fixtures import clock, runtime, sandbox, share_one_loop, store
from tests.schema.api import Api

__all__ = ["clock", "runtime", "sandbox", "store"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    share_one_loop(items, Path(__file__).parent)


@pytest.fixture
def api(runtime: Runtime) -> Api:
    return Api(runtime)

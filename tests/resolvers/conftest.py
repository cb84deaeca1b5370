from pathlib import Path

import pytest

from tests.pool_fixtures import chance, clock, runtime, sandbox, share_one_loop, store

__all__ = ["chance", "clock", "runtime", "sandbox", "store"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    share_one_loop(items, Path(__file__).parent)

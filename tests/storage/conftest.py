"""The repositories over each engine."""

import pytest

from storage import Store
from storage.engines import Database


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)

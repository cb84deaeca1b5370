"""One engine for all the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.sandbox.math.engines import PortableMath


@pytest.fixture(scope="session")
def portable() -> Iterator[PortableMath]:
    """Tests leave it as it was."""
    engine = PortableMath()
    yield engine
    engine.close()

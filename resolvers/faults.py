"""What is wrong with one input: all of it is told at once, so that it can be put right at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from resolvers.errors import PoolError, Unavailable

MOST = 20
"""More faults than these are hardly read, and looking for them would take time for nothing."""


class Faults:
    """Those found so far."""

    def __init__(self) -> None:
        self._found: list[PoolError] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is raised in the block for `tell`; with the last of `MOST` all of them are told.

        Unavailable passes: it says nothing of the input.
        """
        try:
            yield
        except Unavailable:
            raise
        except PoolError as problem:
            self._found.append(problem)
            if len(self._found) == MOST:
                self.tell()

    def tell(self) -> None:
        """Raise the first fault with the `others`, if there are any."""
        if self._found:
            first, *first.others = self._found
            raise first

"""What is wrong with one input: all of it is reported at once, so that it can be put right at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from resolvers.errors import Fault, Unavailable

MOST = 20
"""More faults than these are hardly read, and looking for them would take time for nothing."""

F = TypeVar("F", bound=Fault)


class Faults(Generic[F]):
    """Those of one kind that were found so far."""

    def __init__(self, kind: type[F]) -> None:
        self._kind = kind
        self._found: list[F] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is raised in the block for `raise_all`; with the last of `MOST` all of them are raised.

        Unavailable passes: it says nothing of the input.
        """
        try:
            yield
        except Unavailable:
            raise
        except self._kind as problem:
            self._found += [problem, *problem.others]
            if len(self._found) >= MOST:
                self.raise_all()

    def raise_all(self) -> None:
        """Raise the first fault with the `others`, if there are any."""
        if self._found:
            first, *others = self._found[:MOST]
            first.others = others
            raise first

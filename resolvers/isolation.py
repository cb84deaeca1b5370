"""Keeping what goes wrong with one thing from holding others up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from resolvers.errors import StorageUnavailable, Unavailable

log = logging.getLogger(__name__)


@contextmanager
def by_itself(what: str) -> Iterator[None]:
    """Log what goes wrong in the block, named `what`, and go on behind it; it comes up again by its due time.

    Raises StorageUnavailable: with the others it would be the same, each after a long wait.
    """
    try:
        yield
    except StorageUnavailable:
        raise
    except Unavailable as problem:
        log.warning("%s has to wait: %s", what, problem.message)
    except Exception:
        log.exception("%s can't be carried on", what)

"""Keeping what goes wrong with one thing from holding others up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from resolvers.errors import StorageUnavailable, Unavailable
from storage import Task

log = logging.getLogger(__name__)


@contextmanager
def by_itself(what: str) -> Iterator[None]:
    """Log what goes wrong in the block, named `what`, and go on after it; it comes up again by its due time.

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


async def each_by_itself(tasks: Sequence[Task], carry_on: Callable[[Sequence[Task]], Awaitable[None]]) -> int:
    """Carry on all tasks at once; where something goes wrong each by itself, so that none holds the others up. Returns
    how many are through."""
    if len(tasks) > 1:
        try:
            await carry_on(tasks)
        except StorageUnavailable:
            raise
        except Exception:
            return sum([await each_by_itself([task], carry_on) for task in tasks])
        return len(tasks)
    for task in tasks:
        with by_itself(task.id):
            await carry_on(tasks)
            return 1
    return 0

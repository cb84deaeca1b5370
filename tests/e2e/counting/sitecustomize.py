"""For servers that are killed: with this folder on its PYTHONPATH, a process has each change that may happen only once
counted by the database, in the same atomic operation.

Python imports a module of this name as it starts (https://docs.python.org/3/library/site.html).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storage.engines import Collection
from storage.engines.collection import Filter, Update


def _what_happens(update: Update) -> str:
    """The counter of a change to a flow, a level or a flow's job; empty: it may happen more often."""
    fields = update.get("$set", {})
    if fields.get("ended"):
        return "times_ended"
    if "iteration" in fields:
        return "times_repeated"
    return "times_begun" if "context" in fields else ""


def _counting(method: Callable[..., Any]) -> Callable[..., Any]:
    async def counting(self: Collection, where: Filter, update: Update) -> Any:
        counter = _what_happens(update)
        return await method(self, where, {**update, "$inc": {counter: 1}} if counter else update)

    return counting


Collection.update_one = _counting(Collection.update_one)  # type: ignore[method-assign]
Collection.update_many = _counting(Collection.update_many)  # type: ignore[method-assign]

"""Pages of lists, as Relay has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from strawberry.relay import PageInfo

T = TypeVar("T")


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page_info: PageInfo


def connection(
    members: Sequence[Any],
    show: Callable[[Any], T],
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[T]:
    start = int(after) + 1 if after and after.isdecimal() else 0
    stop = min(int(before), len(members)) if before and before.isdecimal() else len(members)
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    edges = [Edge(cursor=str(index), node=show(members[index])) for index in range(start, stop)]
    info = PageInfo(
        has_next_page=stop < len(members),
        has_previous_page=start > 0,
        start_cursor=str(start),
        end_cursor=str(stop - 1),
    )
    return Connection(edges=edges, page_info=info)

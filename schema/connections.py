"""Relay's cursor connections (https://relay.dev/graphql/connections.htm) over key sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import strawberry
from strawberry.relay import PageInfo

from resolvers.errors import BadInput

MOST_A_PAGE = 100

T = TypeVar("T")
D = TypeVar("D")

First = Annotated[int, strawberry.argument(description="How many to return, from 1 to 100.")]
After = Annotated[
    str | None,
    strawberry.argument(description="The `endCursor` of the page before; left out: from the start."),
]


@strawberry.type(description="One member of a connection.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Where this member is: a page `after` it begins with the next one.")
    node: T = strawberry.field(description="The member.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The members with their cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and the cursor to go on with.")

    @strawberry.field(description="The members alone.")
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]


def page_size(first: int) -> int:
    """Raises BadInput out of 1 to 100."""
    if not 1 <= first <= MOST_A_PAGE:
        raise BadInput(f"first takes a whole number from 1 to {MOST_A_PAGE}, got {first}", field="first")
    return first


def connection(
    found: Sequence[D], first: int, *, node: Callable[[D], T], cursor: Callable[[D], str], after: str | None
) -> Connection[T]:
    """A page of `first` of the documents `found`, of which there is one more where the list goes on."""
    edges = [Edge(cursor=cursor(each), node=node(each)) for each in found[:first]]
    info = PageInfo(
        has_next_page=len(found) > first,
        has_previous_page=bool(after),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info)

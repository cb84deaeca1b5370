"""Relay's cursor connections (https://relay.dev/graphql/connections.htm) over key sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry.relay import PageInfo

from resolvers.errors import BadInput

MOST_A_PAGE = 100

T = TypeVar("T")
D = TypeVar("D")

First = Annotated[int | None, strawberry.argument(description="How many to return, from 1 to 100, the default.")]
After = Annotated[
    str | None,
    strawberry.argument(description="The `endCursor` of the page before; if it is missing: from the start."),
]
Last = Annotated[
    int | None,
    strawberry.argument(description="How many to return from the end, or right before `before`, instead of `first`."),
]
Before = Annotated[
    str | None,
    strawberry.argument(description="The `startCursor` of the page behind; if it is missing: from the end."),
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


def page_size(first: int | None, field: str = "first") -> int:
    """How many members a page has, by default 100. Raises BadInput out of 1 to 100."""
    if first is None:
        return MOST_A_PAGE
    if not 1 <= first <= MOST_A_PAGE:
        raise BadInput(f"{field} takes a whole number from 1 to {MOST_A_PAGE}, got {first}", field=field)
    return first


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of a list is asked for: `size` members behind `cursor` or, `backwards`, right before it."""

    size: int
    cursor: str = ""
    backwards: bool = False

    @classmethod
    def asked(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> Turn:
        """Raises BadInput for a size out of 1 to 100, and where both directions are asked for."""
        if last is None and before is None:
            return cls(page_size(first), after or "")
        if after is not None:
            raise BadInput("after goes with first, before goes with last: not both", field="before")
        size = page_size(first) if last is None else page_size(last, "last")
        return cls(size, before or "", backwards=True)


def connection(
    found: Sequence[D], first: int | None, *, node: Callable[[D], T], cursor: Callable[[D], str], after: str | None
) -> Connection[T]:
    """A page of `first` of the documents `found`, of which there is one more where the list goes on."""
    return turned(found, Turn(page_size(first), after or ""), node=node, cursor=cursor)


def no_members() -> Connection[Any]:
    """A list of nothing."""
    return turned([], Turn(1), node=lambda each: each, cursor=str)


def turned(found: Sequence[D], turn: Turn, *, node: Callable[[D], T], cursor: Callable[[D], str]) -> Connection[T]:
    """The page that was asked for of the documents `found`, of which there is one more where the list goes on."""
    more = len(found) > turn.size
    shown = found[-turn.size :] if turn.backwards else found[: turn.size]
    edges = [Edge(cursor=cursor(each), node=node(each)) for each in shown]
    info = PageInfo(
        has_next_page=bool(turn.cursor) if turn.backwards else more,
        has_previous_page=more if turn.backwards else bool(turn.cursor),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info)

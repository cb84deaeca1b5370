"""GraphQL's execution, in turns with all else that the event loop has to do."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any, TypeVar

from graphql import GraphQLObjectType, get_nullable_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.machinery.turns import give_way

SHORT = 5
"""Members of a list that are completed in one go."""

T = TypeVar("T")


class FairExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes the members of long lists of objects as if each had to be waited for, and gives way between them."""

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Iterable[Any], position_context: Any
    ) -> Any:
        is_short = isinstance(items, Sized) and len(items) <= SHORT
        if not is_short and isinstance(get_nullable_type(item_type), GraphQLObjectType):
            items = [_in_turn(item) for item in items]
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)


async def _in_turn(item: T) -> T:
    await give_way()
    return item

"""How much one query may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from graphql.execution import values

MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_TOKENS = 4_000
MAX_QUERY_CHARACTERS = 200_000
"""Values that are longer are sent as variables."""
MAX_COST = 20_000
MAX_INPUT_NESTING = 1_000
"""Of lists and objects in variables. A flow has two a level; one that has too many levels is told its path."""
PAGE = 100
PAGED_ARGUMENTS = frozenset({"first", "last"})
MEMBERS = frozenset({"edges", "nodes"})
HEAVY = {"tree": 1_000, "criticalPath": 200}
"""Fields that look at a whole flow, and what each costs beside its own fields."""

# graphql-core stops at 200 on all interpreters, for want of stack on PyPy.
values.MAX_NESTING_DEPTH = MAX_INPUT_NESTING  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a selection may bring.

    Attributes:
        depth: levels of fields that have fields, those of introspection left out.
        aliases: fields that are given another name.
        cost: how many fields may be returned: one a field, times the `first` or `last` of every list around it (100
            where that is a variable or left out).
        pages: whether the members of a connection are among its own fields.
    """

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    pages: bool = False

    def __add__(self, other: Weight) -> Weight:
        return Weight(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.cost + other.cost,
            self.pages or other.pages,
        )


class LimitsRule(ValidationRule):
    """Refuses a query that goes too deep, has too many aliases, or could return too many fields.

    Each fragment is weighed once: a few that spread each other twice would otherwise take for ever.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, FragmentDefinitionNode] = {
            node.name.value: node for node in context.document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._weights: dict[str, Weight] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        weight = self._weigh(node.selection_set)
        if weight.depth > MAX_DEPTH:
            self._refuse(node, f"this query is {weight.depth:,} levels deep, and at most {MAX_DEPTH} are answered")
        if weight.aliases > MAX_ALIASES:
            self._refuse(node, f"this query has {weight.aliases:,} aliases, and at most {MAX_ALIASES} are answered")
        if weight.cost > MAX_COST:
            self._refuse(
                node,
                f"this query may return {weight.cost:,} fields, and at most {MAX_COST:,} are answered: ask for fewer "
                "fields, or for shorter pages with `first`",
            )

    def _refuse(self, node: Node, message: str) -> None:
        self.report_error(GraphQLError(message, node, extensions={"code": "TOO_LARGE"}))

    def _weigh(self, selections: SelectionSetNode | None) -> Weight:
        total = Weight()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += _field(node, self._weigh(node.selection_set))
            elif isinstance(node, InlineFragmentNode):
                total += self._weigh(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value)
        return total

    def _fragment(self, name: str) -> Weight:
        if name not in self._weights:
            # Other rules refuse a fragment that is not there or contains itself.
            self._weights[name] = Weight()
            if fragment := self._fragments.get(name):
                self._weights[name] = self._weigh(fragment.selection_set)
        return self._weights[name]


def _field(node: FieldNode, below: Weight) -> Weight:
    name = node.name.value
    return Weight(
        depth=below.depth + 1 if node.selection_set and not name.startswith("__") else 0,
        aliases=below.aliases + bool(node.alias),
        cost=1 + HEAVY.get(name, 0) + (_page(node) if below.pages else 1) * below.cost,
        # `Flow.nodes` is a list with members of its own: its flow is no list.
        pages=name in MEMBERS and not below.pages,
    )


def _page(node: FieldNode) -> int:
    """How many members a connection may have."""
    sizes = [argument.value for argument in node.arguments or () if argument.name.value in PAGED_ARGUMENTS]
    return max((max(1, int(size.value)) if isinstance(size, IntValueNode) else PAGE for size in sizes), default=PAGE)

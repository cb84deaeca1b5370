"""How much one query may ask for."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_TOKENS = 4_000
MAX_COST = 20_000
PAGE = 100
PAGED_ARGUMENT = "first"


class CostRule(ValidationRule):
    """Refuses a query that could return more than `MAX_COST` fields: one a field, times the `first` of every
    list around it (100 where it is a variable or left out)."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, FragmentDefinitionNode] = {
            node.name.value: node for node in context.document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        cost = self._cost(node.selection_set, frozenset())
        if cost > MAX_COST:
            self.report_error(
                GraphQLError(
                    f"this query may return {cost:,} fields, and at most {MAX_COST:,} are answered: ask for fewer "
                    "fields, or for shorter pages with `first`",
                    node,
                    extensions={"code": "TOO_LARGE"},
                )
            )

    def _cost(self, selections: SelectionSetNode | None, inside: frozenset[str]) -> int:
        if selections is None:
            return 0
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += 1 + _page(node) * self._cost(node.selection_set, inside)
            elif isinstance(node, InlineFragmentNode):
                total += self._cost(node.selection_set, inside)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in inside:
                fragment = self._fragments.get(node.name.value)
                if fragment is not None:
                    total += self._cost(fragment.selection_set, inside | {node.name.value})
        return total


def _page(node: FieldNode) -> int:
    """How many members a list may have. A field that is no list has no connection's fields below it."""
    below = {
        field.name.value
        for field in (node.selection_set.selections if node.selection_set else ())
        if isinstance(field, FieldNode)
    }
    if not below & {"edges", "nodes"}:
        return 1
    for argument in node.arguments or ():
        if argument.name.value == PAGED_ARGUMENT and isinstance(argument.value, IntValueNode):
            return max(1, int(argument.value.value))
    return PAGE

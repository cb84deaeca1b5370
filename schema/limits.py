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
MEMBERS = frozenset({"edges", "nodes"})


class CostRule(ValidationRule):
    """Refuses a query that could return more than `MAX_COST` fields: one a field, times the `first` of every
    list around it (100 where it is a variable or left out)."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, FragmentDefinitionNode] = {
            node.name.value: node for node in context.document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._costs: dict[str, int] = {}
        self._members: dict[str, bool] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        cost = self._cost(node.selection_set)
        if cost > MAX_COST:
            self.report_error(
                GraphQLError(
                    f"this query may return {cost:,} fields, and at most {MAX_COST:,} are answered: ask for fewer "
                    "fields, or for shorter pages with `first`",
                    node,
                    extensions={"code": "TOO_LARGE"},
                )
            )

    def _cost(self, selections: SelectionSetNode | None) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += 1 + self._page(node) * self._cost(node.selection_set)
            elif isinstance(node, InlineFragmentNode):
                total += self._cost(node.selection_set)
            elif fragment := self._fragment(node):
                name = fragment.name.value
                if name not in self._costs:
                    self._costs[name] = 0  # Another rule refuses a fragment that contains itself.
                    self._costs[name] = self._cost(fragment.selection_set)
                total += self._costs[name]
        return total

    def _page(self, node: FieldNode) -> int:
        """How many members a list may have. A field that is no list has no connection's fields below it."""
        if not self._has_members(node.selection_set):
            return 1
        for argument in node.arguments or ():
            if argument.name.value == PAGED_ARGUMENT and isinstance(argument.value, IntValueNode):
                return max(1, int(argument.value.value))
        return PAGE

    def _has_members(self, selections: SelectionSetNode | None) -> bool:
        """Whether these are a connection's fields. `Flow.nodes` has members itself: it is a list, no list's members."""
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                if node.name.value in MEMBERS and not self._has_members(node.selection_set):
                    return True
            elif isinstance(node, InlineFragmentNode):
                if self._has_members(node.selection_set):
                    return True
            elif fragment := self._fragment(node):
                name = fragment.name.value
                if name not in self._members:
                    self._members[name] = False
                    self._members[name] = self._has_members(fragment.selection_set)
                if self._members[name]:
                    return True
        return False

    def _fragment(self, node: Any) -> FragmentDefinitionNode | None:
        return self._fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else None

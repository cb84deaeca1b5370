"""What it would cost to find out whether the fields of a query can be merged.

Each field is compared with all others of its name, and each fragment with all others
(https://spec.graphql.org/October2021/#sec-Field-Selection-Merging), so the cost grows with the square of how often a
name is repeated. It is estimated before anything is compared.
"""

from __future__ import annotations

from collections import Counter

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, GraphQLError, SelectionNode

MAX_COMPARISONS = 10_000
SPREAD = "..."


def check_comparisons(document: DocumentNode) -> int:
    """About how many comparisons a document takes. Raises GraphQLError for more than `MAX_COMPARISONS`."""
    repeated = Counter[str]()
    waiting: list[SelectionNode] = []
    for definition in document.definitions:
        waiting.extend(_below(definition))
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            repeated[(node.alias or node.name).value] += 1
        elif isinstance(node, FragmentSpreadNode):
            repeated[SPREAD] += 1
        waiting.extend(_below(node))
    comparisons = sum(times * times for times in repeated.values())
    if comparisons > MAX_COMPARISONS:
        [(name, times)] = repeated.most_common(1)
        raise GraphQLError(
            f"this query would take {comparisons:,} comparisons of fields that have the same name, and at most "
            f"{MAX_COMPARISONS:,} are made: `{name}` is there {times:,} times, ask for it fewer times",
            extensions={"code": "TOO_LARGE"},
        )
    return comparisons


def _below(node: object) -> tuple[SelectionNode, ...]:
    selected = getattr(node, "selection_set", None)
    return tuple(selected.selections) if selected else ()

"""From the text of a request to the one operation in it that is carried out: parsed, checked, and remembered."""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.schema import validate_document

from schema.machinery.comparisons import check_comparisons
from schema.machinery.limits import MAX_QUERY_CHARACTERS, MAX_TOKENS, LimitsRule
from schema.machinery.turns import aside

MOST_REMEMBERED = 100
MOST_REMEMBERED_CHARACTERS = 4_000
"""What a document is parsed to takes hundreds of times as many bytes."""
COST = 20
"""What a character costs to parse and to validate, as if it were bytes of JSON (`aside`); a comparison likewise."""
RULES: tuple[type[ASTValidationRule], ...] = (*specified_rules, LimitsRule)
ONE_OPERATION = "this document has {count} operations: name the one to be carried out with `operationName` ({names})"


class NoOperation(CannotGetOperationTypeError):
    """The request leaves open what is to be carried out; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(None)
        self.message = message

    def as_http_error_reason(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Checked:
    """A document, and what is wrong with it."""

    document: DocumentNode
    problems: list[GraphQLError]


class Documents:
    """The documents of a schema, of which those that came last are remembered."""

    def __init__(self) -> None:
        self._known: LRUCache[str, Checked] = LRUCache(MOST_REMEMBERED)

    async def checked(self, schema: GraphQLSchema, query: str) -> Checked:
        """The document, parsed and validated; a long one in a thread. Raises GraphQLError for a text that is none."""
        if known := self._known.get(query):
            return known
        if len(query) > MAX_QUERY_CHARACTERS:
            raise GraphQLError(
                f"a query may have at most {MAX_QUERY_CHARACTERS:,} characters, got {len(query):,}: send values as "
                "variables",
                extensions={"code": "TOO_LARGE"},
            )
        document = await aside(_parsed, query, weight=COST * len(query))
        try:
            comparisons = check_comparisons(document)
        except GraphQLError as problem:
            return Checked(document, [problem])
        weight = COST * (len(query) + comparisons)
        checked = Checked(document, await aside(validate_document, schema, document, RULES, weight=weight))
        if len(query) <= MOST_REMEMBERED_CHARACTERS:
            self._known[query] = checked
        return checked


def _parsed(query: str) -> DocumentNode:
    return parse(query, max_tokens=MAX_TOKENS)


def check_operation(document: DocumentNode, wanted: str | None) -> None:
    """Raises NoOperation unless `wanted`, or its absence, means one operation
    (https://spec.graphql.org/October2021/#GetOperation()). Strawberry would carry out the first one."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    names = [node.name.value for node in operations if node.name]
    if wanted is not None and wanted not in names:
        raise NoOperation(f'there is no operation "{wanted}" in this document ({_listed(names)})')
    if wanted is None and len(operations) != 1:
        raise NoOperation(ONE_OPERATION.format(count=len(operations), names=_listed(names)))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none has a name"

"""From the text of a request to the one operation in it that is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode
from strawberry.extensions import ParserCache
from strawberry.schema.exceptions import CannotGetOperationTypeError

ONE_OPERATION = "this document has {count} operations: name the one to be carried out with `operationName` ({names})"


class NoOperation(CannotGetOperationTypeError):
    """The request leaves open what is to be carried out; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(None)
        self.message = message

    def as_http_error_reason(self) -> str:
        return self.message


class Documents(ParserCache):
    """Parses documents, and refuses those that leave open which of their operations is meant
    (https://spec.graphql.org/October2021/#GetOperation()). Strawberry would carry out the first one."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        # What is wrong with a document is found again by Strawberry, which answers it on every transport.
        with suppress(GraphQLError):
            context.graphql_document = self.cached_parse_document(context.query, **context.parse_options)
        yield
        if context.graphql_document is not None:
            _check(context.graphql_document, context._provided_operation_name)


def _check(document: DocumentNode, wanted: str | None) -> None:
    """Raises NoOperation unless `wanted`, or its absence, means one operation."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    names = [node.name.value for node in operations if node.name]
    if wanted is not None and wanted not in names:
        raise NoOperation(f'there is no operation "{wanted}" in this document ({_listed(names)})')
    if wanted is None and len(operations) != 1:
        raise NoOperation(ONE_OPERATION.format(count=len(operations), names=_listed(names)))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none has a name"

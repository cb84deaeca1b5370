"""What callers see of errors: the pool's own with their codes, and of faults nothing but a code."""

from __future__ import annotations

import logging

from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from schema.machinery.errors import code_of, explained, is_internal, with_code
from schema.machinery.places import Places

log = logging.getLogger(__name__)


class Masking(MaskErrors):
    def __init__(self) -> None:
        super().__init__(should_mask_error=is_internal)

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        original = error.original_error
        assert original is not None  # Without one an error is not masked.
        code = code_of(original).value
        log.error("a resolver failed at %s", error.path, exc_info=original)
        masked = GraphQLError(explained(original), nodes=error.nodes, source=error.source, path=error.path)
        masked.extensions = {"code": code}
        return masked

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        places = Places()
        return [with_code(error, places) for error in super()._process_errors(errors)]

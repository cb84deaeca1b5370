"""What the facade itself can object to."""

from __future__ import annotations

from collections.abc import Mapping

from schema.machinery.errors import Fault


class BadHalSchema(Exception):
    """The schema's `@hal` directives contradict each other or the schema; the server must not start."""


class BadRequest(Fault):
    """Its route can't read the request. Becomes a problem document with `status` and `code`.

    Attributes:
        field: what in the request is at fault, or empty.
        headers: what the response says besides.
        others: what else is wrong with the request.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "BAD_INPUT",
        field: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.field = field
        self.headers = dict(headers or {})


class NoSuchResource(BadRequest):
    """Nothing has this address."""

    def __init__(self, message: str = "There is nothing at this address.") -> None:
        super().__init__(message, status=404, code="NOT_FOUND")

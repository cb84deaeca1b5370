"""What the facade itself can object to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class HalSchemaError(Exception):
    """The schema's `@hal` directives contradict each other or the schema; the server must not start."""


class BadRequest(Exception):
    """The request is not one that its route can read. Becomes a problem document with `status` and `code`.

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
        self.others: list[BadRequest] = []


class Objections:
    """What is wrong with one request, gathered so that all of it is told at once."""

    MOST = 20

    def __init__(self) -> None:
        self._found: list[BadRequest] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is raised in the block for `tell`; with the last of `MOST` all of them are told."""
        try:
            yield
        except BadRequest as problem:
            self._found += [problem, *problem.others]
            problem.others = []
            if len(self._found) >= self.MOST:
                self.tell()

    def tell(self) -> None:
        """Raise the first with the `others`, if there are any."""
        if self._found:
            first, *others = self._found
            first.others = others[: self.MOST - 1]
            raise first


class NoSuchResource(BadRequest):
    """Nothing has this address."""

    def __init__(self, message: str = "There is nothing at this address.") -> None:
        super().__init__(message, status=404, code="NOT_FOUND")

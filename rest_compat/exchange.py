"""One request to the facade and its answer, between HTTP and the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_compat.links import quoted


@dataclass
class Exchange:
    """What operations know of a request.

    Attributes:
        root: the API's public address, without a slash at its end.
        url: the URL that was asked for, in public terms.
        variables: names of the path's variables.
        values: their values, in order, decoded.
        query: the parameters of the query string.
        context: what resolvers get as their context.
    """

    root: str
    url: str
    variables: tuple[str, ...]
    values: list[str]
    query: dict[str, list[str]]
    context: object
    body: bytes = b""
    idempotency_key: str | None = None

    @property
    def keys(self) -> Mapping[str, str]:
        """The variables of the path, quoted, for links."""
        return {name: quoted(value) for name, value in zip(self.variables, self.values, strict=True)}


@dataclass
class Answer:
    """What an operation has to say: a HAL document, or the text of another representation, or nothing."""

    document: dict[str, Any] | None = None
    text: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

"""Headers of an ASGI scope."""

from __future__ import annotations

from starlette.types import Scope


def values_of(scope: Scope, name: bytes) -> list[str]:
    """All values of a header, whose `name` is lower case."""
    return [value.decode("latin-1") for each, value in scope["headers"] if each == name]


def value_of(scope: Scope, name: bytes) -> str | None:
    """The last value of a header, or None."""
    values = values_of(scope, name)
    return values[-1] if values else None

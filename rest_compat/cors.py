"""Cross-origin requests (the Fetch standard): the API is public, and no cookie means anything to it."""

from __future__ import annotations

EXPOSED = "Location, Link, ETag, Allow, Retry-After, Deprecation, Sunset, Content-Location, Preference-Applied"
"""The headers that scripts of other origins can read."""

ACCEPTED = "content-type, accept, authorization, idempotency-key, prefer, if-none-match"
"""The headers that scripts of other origins can send."""

PREFLIGHT_SECONDS = "86400"


def on_every_response(origin: str) -> list[tuple[bytes, bytes]]:
    """The headers of every response, errors too."""
    headers = {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": EXPOSED,
        "x-content-type-options": "nosniff",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def preflight(allow: str) -> dict[str, str]:
    """What `OPTIONS` adds, asked by a browser before a request or by anyone."""
    return {
        "allow": allow,
        "access-control-allow-methods": allow,
        "access-control-allow-headers": ACCEPTED,
        "access-control-max-age": PREFLIGHT_SECONDS,
    }

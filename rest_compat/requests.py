"""What the facade reads of an HTTP request before an operation sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, quote, unquote_to_bytes

from starlette.types import Receive, Scope

from rest_compat.errors import BadRequest, NoSuchResource

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class Disconnected(Exception):  # noqa: N818 - nobody is told, so it is no error
    """The client went away before its body was here."""


@dataclass(frozen=True)
class HttpRequest:
    """A request, read from its ASGI scope.

    `public_url` is the API's public address where the settings name one; else it is told from the request.
    """

    scope: Scope
    public_url: str | None

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @cached_property
    def headers(self) -> dict[bytes, bytes]:
        """By lower-case name; of a repeated one the last."""
        return dict(self.scope["headers"])

    def header(self, name: bytes, default: str = "") -> str:
        found = self.headers.get(name)
        return default if found is None else found.decode("latin-1")

    @cached_property
    def root(self) -> str:
        """The API's public address, without a slash at its end. Raises BadRequest for a `Host` that can't be
        one."""
        if self.public_url is not None:
            return self.public_url
        host = self.header(b"host")
        if not _HOST.fullmatch(host):
            raise BadRequest("The header Host is missing or malformed.")
        return f"{self.scope.get('scheme', 'http')}://{host}{self._mount}"

    @property
    def _mount(self) -> str:
        return quote(self.scope.get("root_path", "").rstrip("/"))

    @cached_property
    def path(self) -> str:
        """The path below the API's root, as it was sent."""
        raw = self.scope.get("raw_path")
        path = raw.decode("latin-1") if raw else quote(self.scope["path"])
        return path.removeprefix(self._mount) or "/"

    @property
    def url(self) -> str:
        """The URL that was asked for, in public terms."""
        query = self.scope.get("query_string", b"").decode("latin-1")
        return f"{self.root}{quote(self.path, safe=_SENT)}" + (f"?{quote(query, safe=_SENT)}" if query else "")

    @property
    def segments(self) -> list[str]:
        """The path's segments, decoded; a slash at its end makes no difference. Raises NoSuchResource for
        what isn't UTF-8."""
        path = self.path.strip("/")
        if not path:
            return []
        if "%" not in path:
            return path.split("/")
        try:
            return [unquote_to_bytes(segment).decode() for segment in path.split("/")]
        except UnicodeDecodeError as error:
            raise NoSuchResource from error

    @property
    def query(self) -> dict[str, list[str]]:
        found = self.scope.get("query_string", b"")
        return parse_qs(found.decode("latin-1"), keep_blank_values=True) if found else {}

    @property
    def preferences(self) -> set[str]:
        """The preferences of the client (RFC 7240), without what they are worth in detail."""
        return {item.partition(";")[0].strip().lower() for item in self.header(b"prefer").split(",")}

    def knows(self, etag: str) -> bool:
        """Whether the client says that it has this representation (RFC 9110, section 13.1.2)."""
        known = self.header(b"if-none-match")
        return bool(known) and (
            known.strip() == "*" or etag in (k.strip().removeprefix("W/") for k in known.split(","))
        )


_SENT = "/?:@!$&'()*+,;=%-._~[]"
"""What a sent URL may hold as it is; anything else was sent unquoted and gets quoted."""


async def read_body(request: HttpRequest, receive: Receive, limit: int) -> bytes:
    """The body of a request, of at most `limit` bytes.

    Raises BadRequest (413) for a longer one, Disconnected when it never comes.
    """
    too_large = BadRequest(f"A body has at most {limit:,} bytes here.", status=413, code="TOO_LARGE")
    announced = request.header(b"content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large
        if not message.get("more_body", False):
            return bytes(body)

"""What the facade reads of an HTTP request before an operation sees it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, unquote_to_bytes

from starlette.types import Receive, Scope

from rest_compat.errors import BadRequest, NoSuchResource

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")

IDEMPOTENCY_KEY = "^[!-~]{1,200}$"
"""What the header of that name may say: visible ASCII."""


class Disconnected(Exception):
    """The client went away before its body was here."""


class HttpRequest:
    """A request, read from its ASGI scope.

    Attributes:
        headers: by lower-case name; of a repeated one the last.
        path: the path below the API's root, as it was sent.
    """

    def __init__(self, scope: Scope, public_url: str | None) -> None:
        """
        Args:
            public_url: the API's public address where the settings name one; else it is taken from the
                request.
        """
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        root_path: str = scope.get("root_path", "")
        self._mount = quote(root_path.rstrip("/")) if root_path else ""
        raw_path: bytes | None = scope.get("raw_path")
        path = raw_path.decode("latin-1") if raw_path else scope["path"]
        self.path = _as_sent(path).removeprefix(self._mount) or "/"
        self._root = public_url

    def header(self, name: bytes, default: str = "") -> str:
        found = self.headers.get(name)
        return default if found is None else found.decode("latin-1")

    @property
    def root(self) -> str:
        """The API's public address, without a slash at its end. Raises BadRequest for a `Host` that can't be
        one."""
        if self._root is None:
            host = self.header(b"host")
            if not _HOST.fullmatch(host):
                raise BadRequest("The header Host is missing or malformed.")
            self._root = f"{self.scope.get('scheme', 'http')}://{host}{self._mount}"
        return self._root

    @property
    def url(self) -> str:
        """The URL that was asked for, in public terms."""
        query = self.scope.get("query_string")
        return self.root + self.path + (f"?{_as_sent(query.decode('latin-1'))}" if query else "")

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

    @property
    def idempotency_key(self) -> str | None:
        """Raises BadRequest for a text that can't be a key."""
        if b"idempotency-key" not in self.headers:
            return None
        key = self.header(b"idempotency-key")
        if not re.fullmatch(IDEMPOTENCY_KEY, key):
            raise BadRequest("Idempotency-Key is 1 to 200 visible ASCII characters.", field="Idempotency-Key")
        return key

    def knows(self, etag: str) -> bool:
        """Whether the client says that it has this representation (RFC 9110, section 13.1.2)."""
        if b"if-none-match" not in self.headers:
            return False
        known = self.header(b"if-none-match")
        return known.strip() == "*" or etag in (k.strip().removeprefix("W/") for k in known.split(","))


_SENT = re.compile(r"[A-Za-z0-9/?:@!$&'()*+,;=%._~\[\]-]*")
"""What a sent path or query may hold; anything else was sent unquoted and gets quoted."""


def _as_sent(text: str) -> str:
    return text if _SENT.fullmatch(text) else quote(text, safe="/?:@!$&'()*+,;=%._~[]-")


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

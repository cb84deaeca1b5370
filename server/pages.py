"""The pages: the files of `client/`, read once, each at an address of its own and under a strict policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import schema
from rest_compat import negotiation
from sandbox import SCRIPTS

# Beside this package, in the source tree and where it is installed.
CLIENT = Path(__file__).parents[1] / "client"
# `src` is the npm package, which the pages use as well.
AREAS = ("front", "volunteer", "dashboard", "graphql", "shared", "src")
INDEX = "index.html"
SANDBOX = "sandbox.html"
SCHEMA = Path(schema.__file__).with_name("schema.graphql")
ELSEWHERE = ("/front", "/graphql")
"""Pages whose addresses answer others otherwise."""
TYPES = {
    ".graphql": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
ROOT_OFFERS = (*negotiation.HAL, "text/html")

# The pages load what is under `assets` and nothing else of this origin: it also serves code that owners wrote.
PAGE_POLICY = (
    "default-src 'none'; script-src {assets}; style-src {assets}; img-src {assets}; worker-src {assets}; "
    "frame-src {assets}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types comp-pool"
)
# Workers made from blobs inherit it. `eval` is how jobs are compiled: it stays within what has no way out.
SANDBOX_POLICY = (
    "default-src 'none'; script-src {scripts} 'unsafe-eval'; worker-src blob:; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
ASSET_POLICY = "default-src 'none'; frame-ancestors 'none'"
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-dns-prefetch-control": "off",
    "cache-control": "no-cache",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# What may stand in a policy as it is, with the path that the pool is at. Others, IPv6 addresses among them,
# have no form there.
HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]+)?")
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is served. `{assets}` in its policy stands for where pages may load from."""

    body: bytes
    compressed: bytes
    media_type: str
    policy: str
    digest: str
    public_url: str | None

    @classmethod
    def of(cls, file: Path, public_url: str | None = None) -> Page:
        """`public_url` is the pool's address as browsers see it, if it is known."""
        return cls.made(file.name, file.read_bytes(), public_url)

    @classmethod
    def made(cls, name: str, body: bytes, public_url: str | None = None) -> Page:
        """What is served as if it stood in a file of that name."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()
        compressed = gzip.compress(body, mtime=0)
        return cls(body, compressed, TYPES[Path(name).suffix], _policy(name, body.decode()), digest, public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = {**EVERYWHERE, "vary": "accept-encoding", "content-security-policy": self._policy_at(request)}
        if takes_gzip := "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        headers["etag"] = f'"{self.digest}{"-gzip" if takes_gzip else ""}"'
        if request.headers.get("if-none-match") == headers["etag"]:
            response = Response(status_code=304, headers=headers)
        else:
            body = self.compressed if takes_gzip else self.body
            response = Response(body, headers=headers, media_type=self.media_type)
        await response(scope, receive, send)

    def _policy_at(self, request: Request) -> str:
        host = f"{request.headers.get('host', '')}{request.scope.get('root_path', '')}"
        assets = f"{host}/assets/" if HOST.fullmatch(host) else "'self'"
        if self.public_url:
            assets = f"{assets} {self.public_url.rstrip('/')}/assets/"
        return self.policy.replace("{assets}", assets)


def page_routes(public_url: str | None) -> list[Route]:
    """A route for each page and each of its files, except the pages at `/` and `/graphql`; and for the schema."""
    files = [found for area in AREAS for found in _files(area) if found[0] not in ELSEWHERE]
    pages = {address: Page.of(file, public_url) for address, file in [*files, (f"/{SCHEMA.name}", SCHEMA)]}
    # Jobs are compiled and called in browsers by the very rules of the pool's own sandbox.
    for name, text in SCRIPTS.items():
        pages[f"/assets/volunteer/{name}"] = Page.made(name, text.encode(), public_url)
    return [Route(address, page, methods=["GET"]) for address, page in pages.items()]


def front_page(public_url: str | None) -> Page:
    """What a browser gets at `/`: what the pool computes, and where to go from here."""
    return Page.of(CLIENT / "front" / INDEX, public_url)


def graphql_page(public_url: str | None) -> Page:
    """What a browser gets at `/graphql`: a place to ask in, and the schema."""
    return Page.of(CLIENT / "graphql" / INDEX, public_url)


def wants_page(request: Request) -> bool:
    """Whether this request for `/` is a browser's: it prefers HTML to HAL (RFC 9110, section 12.5.1)."""
    accept = request.headers.get("accept", "")
    return request.method in ("GET", "HEAD") and negotiation.choose(accept, ROOT_OFFERS) == "text/html"


def _files(area: str) -> Iterator[tuple[str, Path]]:
    """The files of an area, each with its address."""
    folder = CLIENT / area
    for file in sorted(folder.rglob("*")):
        if file.suffix in TYPES:
            path = file.relative_to(folder).as_posix()
            yield f"/{area}" if path == INDEX else f"/assets/{area}/{path}", file


def _policy(name: str, text: str) -> str:
    if name == SANDBOX:
        digests = [hashlib.sha256(script.encode()).digest() for script in INLINE_SCRIPT.findall(text)]
        return SANDBOX_POLICY.format(
            scripts=" ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
        )
    return PAGE_POLICY if name.endswith(".html") else ASSET_POLICY

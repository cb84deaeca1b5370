"""The header `Forwarded` (RFC 7239): what each proxy on the way says of the request that it got.

Read by rules of our own: the parsers of Python's web frameworks belong to their requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
PAIR = re.compile(rf"({TOKEN})=(?:({TOKEN})|({QUOTED}))")
SEPARATOR = re.compile(r"[ \t]*([;,])[ \t]*")
ESCAPED = re.compile(r"\\(.)")
NODE = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
)
HIDDEN = re.compile(r"unknown|_[A-Za-z0-9._-]+", re.IGNORECASE)
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(:[0-9]{1,5})?")
SCHEMES = ("http", "https", "ws", "wss")


class Malformed(ValueError):
    """The header is not as RFC 7239 has it."""


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says of the request that it got: from which address and port (empty, 0: it does not say), by which
    scheme, and for which host (empty: likewise)."""

    address: str = ""
    port: int = 0
    scheme: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request entered the chain of trusted proxies, and how; empty: that is not said."""

    client: tuple[str, int] | None
    scheme: str
    host: str


def origin_of(header: str, is_trusted: Callable[[str], bool]) -> Origin:
    """What a header says that trusted proxies have added to: the client is the nearest address that is no trusted
    proxy's, or else the farthest; scheme and host are those that were seen where it came in.

    Raises Malformed.
    """
    client: tuple[str, int] | None = None
    scheme = host = ""
    for hop in reversed(hops(header)):
        scheme, host = hop.scheme or scheme, hop.host or host
        if not hop.address:
            break  # Who is beyond it is unknown.
        client = hop.address, hop.port
        if not is_trusted(hop.address):
            break
    return Origin(client, scheme, host)


def hops(header: str) -> Sequence[Hop]:
    """The elements of the header, in its order: the nearest proxy's last. Raises Malformed."""
    return [_hop(pairs) for pairs in _elements(header) if pairs]


def _elements(header: str) -> Iterator[dict[str, str]]:
    pairs: dict[str, str] = {}
    at, text = 0, header.strip(" \t")
    while at < len(text):
        if pair := PAIR.match(text, at):
            name, token, quoted = pair.groups()
            if name.lower() in pairs:
                raise Malformed(f"{name} comes twice")
            pairs[name.lower()] = token if quoted is None else ESCAPED.sub(r"\1", quoted[1:-1])
            at = pair.end()
        separator = SEPARATOR.match(text, at)
        if separator is None and at < len(text):
            raise Malformed(f"it can't be read from {text[at : at + 20]!r} on")
        if separator:
            at = separator.end()
            if separator[1] == ",":
                yield pairs
                pairs = {}
    yield pairs


def _hop(pairs: dict[str, str]) -> Hop:
    address, port = _node(pairs["for"]) if "for" in pairs else ("", 0)
    scheme, host = pairs.get("proto", "").lower(), pairs.get("host", "")
    if "proto" in pairs and scheme not in SCHEMES:
        raise Malformed(f"{scheme!r} is no scheme of a request")
    if "host" in pairs and not HOST.fullmatch(host):
        raise Malformed(f"{host!r} is no host")
    return Hop(address, port, scheme, host)


def _node(text: str) -> tuple[str, int]:
    """The address and port of a node (RFC 7239, section 6); empty and 0 where it hides."""
    node = NODE.fullmatch(text)
    if node is None:
        raise Malformed(f"{text!r} is no node")
    if node["name"] and HIDDEN.fullmatch(node["name"]):
        return "", 0
    try:
        address = ip_address(node["v6"] or node["name"])
    except ValueError:
        raise Malformed(f"{text!r} is no node") from None
    if (address.version == 6) != bool(node["v6"]):
        raise Malformed(f"{text!r} is no node")
    port = node["port"] or ""
    return str(address), int(port) if port.isdigit() else 0

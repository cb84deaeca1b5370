"""How many connections each address has open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address, ip_network


class Visitors:
    """The open connections of a server process. A proxy's are not counted: it speaks for many, and counts by itself."""

    def __init__(self, most: int, proxies: Sequence[str]) -> None:
        """
        Args:
            most: how many an address may have; 0: any number.
            proxies: addresses and networks of trusted proxies, or `*`.
        """
        self._most = most if "*" not in proxies else 0
        self._proxies = [ip_network(each, strict=False) for each in proxies if each != "*"]
        self._addresses: dict[int, str] = {}
        self._open: Counter[str] = Counter()

    def enter(self, transport: asyncio.BaseTransport) -> bool:
        """Count a connection. False if its address has too many."""
        address = _address(transport)
        if not self._most or not address or self._is_proxy(address):
            return True
        if self._open[address] >= self._most:
            return False
        # A closed transport does not know its peer any more.
        self._addresses[id(transport)] = address
        self._open[address] += 1
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """The connection is closed."""
        if address := self._addresses.pop(id(transport), ""):
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _is_proxy(self, address: str) -> bool:
        found = ip_address(address)
        return any(found in network for network in self._proxies)


def _address(transport: asyncio.BaseTransport) -> str:
    """The other side's network address; empty for a UNIX socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]).partition("%")[0] if isinstance(peer, tuple) else ""

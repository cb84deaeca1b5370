"""Network addresses, and the groups that limits are counted by."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

IPV4_PREFIX = 24
IPV6_PREFIX = 48
"""A provider gives a customer 65,536 networks of 64 bits, and hardly ever more than one of 48."""
MOST_REMEMBERED = 10_000


@lru_cache(MOST_REMEMBERED)
def group_of(address: str) -> str:
    """The network that an address counts to: its /24 (IPv4) or /48 (IPv6, RFC 6177). What is no address, such as the
    name of a UNIX socket, is a group by itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    prefix = IPV6_PREFIX if found.version == 6 else IPV4_PREFIX
    return str(ip_network((found, prefix), strict=False))

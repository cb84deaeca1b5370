"""What a request carries to its resolvers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from strawberry.types import Info

from resolvers.runtime import Runtime


@dataclass(slots=True)
class Context:
    """The process's runtime, the network address that a host without a token is known by, and the addresses of the
    pool itself: host, port and path, without a scheme."""

    runtime: Runtime
    address: str = ""
    pool_addresses: tuple[str, ...] = ()


PoolInfo: TypeAlias = Info[Context, None]

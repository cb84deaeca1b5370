"""What a request carries to its resolvers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from strawberry.types import Info

from resolvers.access.principals import Principal, of_session
from resolvers.access.visibility import Readable, readable
from resolvers.access.wrong_tokens import WrongTokens
from resolvers.runtime import Runtime
from resolvers.subscriptions import Subscriptions

BEARER = "bearer"


@dataclass(slots=True)
class Context:
    """The process's runtime, what a host without a token is known by (its network address and client), the addresses
    of the pool itself (host, port and path, without a scheme), the token in the header `Authorization`, the group of
    network addresses that the client's counts to, the session of one of the pool's own pages, what a client said when
    it opened a WebSocket, and how much its variables are to work over, in bytes of JSON."""

    runtime: Runtime
    address: str = ""
    pool_addresses: tuple[str, ...] = ()
    token: str = ""
    group: str = ""
    session: str = ""
    connection_params: Mapping[str, Any] = field(default_factory=dict)
    weight: int = 0
    _counted: bool = False

    @property
    def has_token(self) -> bool:
        """Whether the client may have shown a token, or a session."""
        return bool(self.token or self.session or self.connection_params)

    async def principal(self) -> Principal:
        """Who asks, as it is known now: a WebSocket may outlive its token. Raises Unauthenticated and
        RateLimited."""
        token = self.token
        if self.connection_params:
            said = {name.lower(): value for name, value in self.connection_params.items()}
            token = bearer_token(said.get("authorization", "")) or token
        if self.session and not token:
            return await of_session(self.runtime, self.session)
        return await self.runtime.part(WrongTokens).authenticated(token, self.group)

    async def counted_principal(self) -> Principal:
        """As `principal`, which counts as a call with its token. Raises RateLimited too."""
        principal = await self.principal()
        rate = self.runtime.limits.token_rate
        # A request may have several fields; what comes over a WebSocket is a request each time.
        if rate and principal.token and (self.connection_params or not self._counted):
            self._counted = True
            self.runtime.rates.check(rate, principal.token, what="calls with this token")
        return principal

    async def may_read(self, document: Readable) -> bool:
        """Whether who asks may read a document."""
        return bool(await self.readable([document]))

    async def readable(self, documents: Sequence[Readable]) -> set[str]:
        """The ids of those documents that who asks may read."""
        return await readable(self.runtime, await self.principal(), documents)

    def subscription(self) -> AbstractContextManager[None]:
        """Counts a subscription while it is open. Raises RateLimited."""
        return self.runtime.part(Subscriptions).opened(self.group)


def bearer_token(authorization: object) -> str:
    """The token in an `Authorization` header (RFC 6750, section 2.1); empty where there is none: another scheme is
    meant for a proxy."""
    if not authorization:
        return ""
    scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
    return token.strip() or "?" if scheme.lower() == BEARER else ""


PoolInfo: TypeAlias = Info[Context, None]

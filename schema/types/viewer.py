"""Who asks: what a dashboard shows, and hides."""

from __future__ import annotations

import strawberry

from resolvers.access import accounts
from resolvers.access.rules import Allowed
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.types.accounts import Account
from schema.types.enums import Scope
from schema.types.usage import Usage, usage_of


@strawberry.type(description="Who asks, as the pool knows it.")
class Viewer:
    account: Account | None = strawberry.field(
        description="The account of the token that was sent; null: none was, or the pool wants none."
    )
    scopes: list[Scope] = strawberry.field(
        description="What the token is good for; all of them where the pool wants no tokens."
    )
    wants_tokens: bool = strawberry.field(
        description="Whether this pool wants tokens (`--auth tokens`); if not, everybody is its operator."
    )
    provider_name: str | None = strawberry.field(
        description="What the OpenID Connect provider is called, for the button that leads to `/session/openid`; null: "
        "one signs in with a token only."
    )

    @strawberry.field(
        extensions=[Only(Allowed.READER)],
        description="What the account has in the pool and uses of it, beside its quotas; null where there is none.",
    )
    async def usage(self, info: PoolInfo) -> Usage | None:
        return None if self.account is None else await usage_of(info.context.runtime, self.account.key)


@strawberry.type
class ViewerQuery:
    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        description="Who asks: what a dashboard shows, and hides what the scopes do not cover.",
    )
    async def viewer(self, info: PoolInfo) -> Viewer:
        runtime, principal = info.context.runtime, await info.context.principal()
        account = await accounts.get(runtime, principal.account) if principal.account else None
        return Viewer(
            account=None if account is None else Account.of(account),
            scopes=[Scope(each) for each in sorted(principal.scopes)],
            wants_tokens=runtime.wants_tokens,
            provider_name=runtime.provider_name or None,
        )

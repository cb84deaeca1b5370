"""Accounts and their tokens: who asks, who may submit work, and who operates the pool."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.access import accounts, tokens
from resolvers.access.principals import Scope as StoredScope
from resolvers.access.rules import Allowed
from resolvers.deleting import accounts as deleting
from resolvers.documents import Account as AccountDocument
from resolvers.documents import Token as TokenDocument
from resolvers.errors import NotFound
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.payloads import Payload, UserErrors
from schema.machinery.times import milliseconds, moment, moment_or_none
from schema.types.enums import Scope
from schema.types.usage import Usage, usage_of


@strawberry.type(description="What an account's programs show to be known by. Its text is told once, when it is made.")
class Token:
    key: str = strawberry.field(description="Its public part, by which it is revoked.")
    is_session: bool = strawberry.field(
        description="Whether it is the session of a browser in which somebody signed in on the dashboard."
    )
    account: str = strawberry.field(description="The key of the account that it is of.")
    name: str = strawberry.field(description="What it was made for.")
    scopes: list[Scope] = strawberry.field(description="What it is good for.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself; null: never.")
    used_at: datetime | None = strawberry.field(
        description="When it was shown the last time, give or take a minute; null: never."
    )
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null: it was not.")

    @classmethod
    def of(cls, token: TokenDocument) -> Token:
        return cls(
            key=token.key,
            is_session=token.is_session,
            account=token.account,
            name=token.name,
            scopes=[Scope(each) for each in token.scopes],
            created_at=moment(token.created_at),
            expires_at=moment_or_none(token.expires_at),
            used_at=moment_or_none(token.used_at),
            revoked_at=moment_or_none(token.revoked_at),
        )


@strawberry.type(description="Who submits work: a person or an organisation.")
class Account:
    key: str = strawberry.field(description="Slug of the name: what jobs and flows have as their `owner`.")
    name: str = strawberry.field(description="What it is called.")
    created_at: datetime = strawberry.field(description="When it was made.")
    blocked_at: datetime | None = strawberry.field(
        description="When an operator blocked it: its tokens and sessions are refused; null: it is not blocked."
    )
    approved_at: datetime | None = strawberry.field(
        description="Since when its jobs need no approval (`--review`); null: they do."
    )

    @classmethod
    def of(cls, account: AccountDocument) -> Account:
        return cls(
            key=account.key,
            name=account.name,
            created_at=moment(account.created_at),
            blocked_at=moment_or_none(account.blocked_at),
            approved_at=moment_or_none(account.approved_at),
        )

    @strawberry.field(
        extensions=[Only(Allowed.READER)],
        description="Its tokens, the newest first; those that were revoked or have expired too.",
    )
    async def tokens(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Token]:
        found = await tokens.page(info.context.runtime, self.key, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=Token.of, cursor=lambda each: each.seq, after=after)

    @strawberry.field(
        extensions=[Only(Allowed.READER)], description="What it has in the pool and uses of it, beside its quotas."
    )
    async def usage(self, info: PoolInfo) -> Usage:
        return await usage_of(info.context.runtime, self.key)


@strawberry.type
class AccountQuery:
    @strawberry.field(
        extensions=[Only(Allowed.OPERATOR)], description="The account with this key; null if there is none."
    )
    async def account(
        self, info: PoolInfo, key: Annotated[str, strawberry.argument(description="Its key.")]
    ) -> Account | None:
        try:
            return Account.of(await accounts.get(info.context.runtime, key))
        except NotFound:
            return None

    @strawberry.field(extensions=[Only(Allowed.OPERATOR)], description="Accounts in the order of their creation.")
    async def accounts(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Account]:
        found = await accounts.page(info.context.runtime, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=Account.of, cursor=lambda each: each.seq, after=after)


@strawberry.input(description="An account to make.")
class CreateAccountInput:
    name: str = strawberry.field(description="What it is called; its key is the slug of it. 1 to 100 characters.")


@strawberry.type(description="The answer of `createAccount`.")
class CreateAccountPayload(Payload):
    account: Account | None = strawberry.field(default=None, description="The account.")


@strawberry.input(description="A token to make.")
class CreateTokenInput:
    name: str = strawberry.field(description="What it is for, such as the machine that keeps it.")
    scopes: list[Scope] = strawberry.field(description="What it is to be good for: at most what the sent token is.")
    account: str | None = strawberry.field(
        default=None, description="The account's key; left out: that of the sent token. Another one takes an operator."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends by itself; left out: never. At the latest when the sent token does."
    )


@strawberry.type(description="The answer of `createToken`.")
class CreateTokenPayload(Payload):
    token: Token | None = strawberry.field(default=None, description="The token.")
    text: str | None = strawberry.field(
        default=None, description="What to send as `Authorization: Bearer`. It is not told again: keep it."
    )


@strawberry.input(description="A token to end.")
class RevokeTokenInput:
    token: str = strawberry.field(description="The token's key, or its text.")


@strawberry.type(description="The answer of `revokeToken`.")
class RevokeTokenPayload(Payload):
    token: Token | None = strawberry.field(default=None, description="The token as it is now.")


@strawberry.input(description="An account to delete.")
class DeleteAccountInput:
    account: str = strawberry.field(description="The account's key.")


@strawberry.type(description="The answer of `deleteAccount`.")
class DeleteAccountPayload(Payload):
    deleted_key: str | None = strawberry.field(default=None, description="Key that the account had.")


@strawberry.input(description="An account to block.")
class BlockAccountInput:
    account: str = strawberry.field(description="The account's key.")


@strawberry.type(description="The answer of `blockAccount`.")
class BlockAccountPayload(Payload):
    account: Account | None = strawberry.field(default=None, description="The account as it is now.")


@strawberry.input(description="An account to block no more.")
class UnblockAccountInput:
    account: str = strawberry.field(description="The account's key.")


@strawberry.type(description="The answer of `unblockAccount`.")
class UnblockAccountPayload(Payload):
    account: Account | None = strawberry.field(default=None, description="The account as it is now.")


@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(CreateAccountPayload)], description="Make an account."
    )
    async def create_account(
        self,
        info: PoolInfo,
        input: Annotated[CreateAccountInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> CreateAccountPayload:
        return CreateAccountPayload(account=Account.of(await accounts.create(info.context.runtime, input.name)))

    @strawberry.mutation(
        extensions=[Only(Allowed.SUBMITTER), UserErrors(CreateTokenPayload)],
        description="Make a token of the own account. Only an operator makes one of another account, or one that may "
        "do more, or lives longer, than the token that was sent.",
    )
    async def create_token(
        self,
        info: PoolInfo,
        input: Annotated[CreateTokenInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> CreateTokenPayload:
        new = tokens.NewToken(
            name=input.name,
            scopes=[StoredScope(each.value) for each in input.scopes],
            expires_at=milliseconds(input.expires_at),
        )
        principal = await info.context.principal()
        token, text = await tokens.create(info.context.runtime, principal, input.account or "", new)
        return CreateTokenPayload(token=Token.of(token), text=text)

    @strawberry.mutation(
        extensions=[Only(Allowed.SUBMITTER), UserErrors(RevokeTokenPayload)],
        description="End a token of the own account, or for an operator any. Within a second nothing takes it "
        "any more.",
    )
    async def revoke_token(
        self,
        info: PoolInfo,
        input: Annotated[RevokeTokenInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> RevokeTokenPayload:
        principal = await info.context.principal()
        return RevokeTokenPayload(token=Token.of(await tokens.revoke(info.context.runtime, principal, input.token)))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(BlockAccountPayload)],
        description="Refuse all tokens and sessions of an account, within a second, until it is unblocked. What it "
        "submitted goes on: archive or delete that, if it is to stop.",
    )
    async def block_account(
        self,
        info: PoolInfo,
        input: Annotated[BlockAccountInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> BlockAccountPayload:
        principal = await info.context.principal()
        account = await accounts.block(info.context.runtime, principal, input.account)
        return BlockAccountPayload(account=Account.of(account))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(UnblockAccountPayload)],
        description="Block an account no more: those of its tokens and sessions that have not ended count again.",
    )
    async def unblock_account(
        self,
        info: PoolInfo,
        input: Annotated[UnblockAccountInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> UnblockAccountPayload:
        account = await accounts.unblock(info.context.runtime, input.account)
        return UnblockAccountPayload(account=Account.of(account))

    @strawberry.mutation(
        extensions=[Only(Allowed.ACCOUNT_HOLDER), UserErrors(DeleteAccountPayload)],
        description="Delete an account with its tokens, which nothing takes any more within a second, and its jobs and "
        "flows, each as `deleteJob` and `deleteFlow` do. An account can delete itself.",
    )
    async def delete_account(
        self,
        info: PoolInfo,
        input: Annotated[DeleteAccountInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> DeleteAccountPayload:
        account = await deleting.delete(info.context.runtime, input.account)
        return DeleteAccountPayload(deleted_key=account.key)

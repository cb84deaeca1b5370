"""Accounts: who submits work, and who operates the pool."""

from __future__ import annotations

from collections.abc import Sequence

from slugify import slugify

from resolvers.access.principals import Principal
from resolvers.errors import AlreadyExists, BadInput, Conflict, InProgress, NotFound
from resolvers.identifiers import ACCOUNT_KEY, checked_cursor, checked_text
from resolvers.runtime import Runtime, new_seq
from storage import Account

MAX_NAME_CHARACTERS = 100


async def create(runtime: Runtime, name: str, identity: str = "") -> Account:
    """Make an account; its key is the slug of its name. `identity` is the digest of whose it is to an OpenID Connect
    provider; where that has this very account already, it stays. Raises BadInput, AlreadyExists, and InProgress for
    that of an account that was just deleted."""
    key = slugify(checked_text(name, field="name", most=MAX_NAME_CHARACTERS))
    if not ACCOUNT_KEY.fullmatch(key):
        raise BadInput(f"no key can be made of the name {name!r}: it needs letters or digits", field="name")
    account = Account(
        id=Account.id_of(key), key=key, name=name, seq=new_seq(), created_at=runtime.now(), identity=identity
    )
    if not await runtime.store.accounts.insert(account):
        stored = await runtime.store.accounts.get(account.id)
        if stored is None:
            raise InProgress.removing(f"the account {key!r}", field="name")
        if identity and stored.identity == identity:
            return stored
        if stored.seq != account.seq:  # An insert whose answer was lost finds its own account there.
            raise AlreadyExists(f"there is an account {key!r} already; choose another name", field="name")
    return account


async def get(runtime: Runtime, key: str) -> Account:
    """Raises NotFound."""
    account = await runtime.store.accounts.get(Account.id_of(key)) if ACCOUNT_KEY.fullmatch(key) else None
    if account is None:
        raise NotFound(f"there is no account {key[:100]!r}", field="account")
    return account


async def block(runtime: Runtime, principal: Principal, key: str) -> Account:
    """Have the tokens and sessions of an account be refused, within a second everywhere. What it submitted goes on.

    Raises NotFound, and Conflict for the principal's own account.
    """
    account = await get(runtime, key)
    if account.key == principal.account:
        raise Conflict("an operator can't block the account that this is done with", field="account")
    if not account.blocked_at:
        await runtime.store.accounts.block(account, runtime.now())
    return await get(runtime, key)


async def unblock(runtime: Runtime, key: str) -> Account:
    """Let a blocked account be. Its tokens and sessions that have not ended count again. Raises NotFound."""
    await runtime.store.accounts.block(await get(runtime, key), 0)
    return await get(runtime, key)


async def approve(runtime: Runtime, key: str) -> Account:
    """Have the jobs that an account submits from now on need no approval. Raises NotFound."""
    account = await get(runtime, key)
    if not account.approved_at:
        await runtime.store.accounts.approve(account.key, runtime.now())
    return await get(runtime, key)


async def page(runtime: Runtime, *, first: int, after: str = "") -> Sequence[Account]:
    """Accounts in the order of their creation."""
    return await runtime.store.accounts.page({}, first=first, after=checked_cursor(after))

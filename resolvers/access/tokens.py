"""Tokens: what an account's programs show to be known by."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.access.principals import TOKEN_TEXT, Principal, Scope, digest_of
from resolvers.access.rules import check_account, check_scope
from resolvers.errors import BadInput, Conflict, Forbidden, NotFound
from resolvers.identifiers import ACCOUNT_KEY, TOKEN_KEY, checked_cursor, checked_text
from resolvers.runtime import Runtime, new_seq
from storage import Account, Token

KEY_BYTES = 8
SECRET_BYTES = 32
MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class NewToken:
    """`expires_at` is in ms since the epoch; 0: never."""

    name: str
    scopes: Sequence[Scope]
    expires_at: int = 0


async def create(runtime: Runtime, principal: Principal, account: str, new: NewToken) -> tuple[Token, str]:
    """Make a token of an account (empty: the principal's own); the token, and its text, which is kept nowhere.

    Only an operator gives a token more than its own has: other scopes, a longer life, another account.

    Raises BadInput, NotFound, Unauthenticated, Forbidden, and Conflict in a pool that takes no tokens: whoever reaches
    that would make them for the time when it takes them.
    """
    if not runtime.wants_tokens:
        raise Conflict("this pool takes no tokens (--auth open); make them by `comp-pool token create` at its machine")
    account = account or principal.account
    check_account(principal, account, field="account")
    if not principal.is_operator:
        _check_no_more(principal, new)
    return await issue(runtime, account, new)


def _check_no_more(principal: Principal, new: NewToken) -> None:
    for scope in new.scopes:
        check_scope(principal, scope)
    if principal.expires_at and not 0 < new.expires_at <= principal.expires_at:
        raise Forbidden("a token may not outlive the one that makes it: give an earlier expiry", field="expires_at")


async def issue(runtime: Runtime, account: str, new: NewToken) -> tuple[Token, str]:
    """As `create`, whoever asks. Raises BadInput and NotFound."""
    if not ACCOUNT_KEY.fullmatch(account) or not await runtime.store.accounts.get(Account.id_of(account)):
        raise NotFound(f"there is no account {account[:100]!r}", field="account")
    if not new.scopes:
        raise BadInput(f"a token takes at least one of the scopes {', '.join(Scope)}", field="scopes")
    now = runtime.now()
    if 0 < new.expires_at <= now:
        raise BadInput("a token's expiry lies in the future", field="expires_at")
    checked_text(new.name, field="name", most=MAX_NAME_CHARACTERS)
    return await store(runtime, "cp", account, new)


async def store(
    runtime: Runtime,
    prefix: str,
    account: str,
    new: NewToken,
    *,
    is_session: bool = False,
    is_link: bool = False,
    made_by: str = "",
) -> tuple[Token, str]:
    """Keep a new token, a session, or a link, of an account; it, and its text, which begins with the prefix. Who
    operates the pool needs nobody's approval."""
    key = secrets.token_hex(KEY_BYTES)
    text = f"{prefix}_{key}{secrets.token_urlsafe(SECRET_BYTES)}"
    token = Token(
        id=Token.id_of(key),
        key=key,
        account=account,
        name=new.name,
        seq=new_seq(),
        digest=digest_of(text),
        scopes=sorted(set(new.scopes)),
        created_at=runtime.now(),
        expires_at=new.expires_at,
        is_session=is_session,
        is_link=is_link,
        made_by=made_by,
    )
    await runtime.store.tokens.insert(token)
    if Scope.OPERATE in new.scopes:
        await runtime.store.accounts.approve(account, runtime.now())
    return token, text


async def revoke(runtime: Runtime, principal: Principal, key_or_text: str) -> Token:
    """End a token now; within a second no process takes it any more. Repeating it changes nothing.

    Raises NotFound, also for a token of another account, Unauthenticated, and Forbidden.
    """
    shape = TOKEN_TEXT.fullmatch(key_or_text)
    key = shape[1] if shape else key_or_text
    token = await runtime.store.tokens.get(Token.id_of(key)) if TOKEN_KEY.fullmatch(key) else None
    if token is None or not (principal.is_operator or token.account == principal.account):
        raise NotFound(f"there is no token {key[:16]!r}", field="token")
    await runtime.store.tokens.revoke(token, runtime.now())
    return await runtime.store.tokens.get(token.id) or token


async def page(runtime: Runtime, account: str = "", *, first: int, after: str = "") -> Sequence[Token]:
    """The tokens of an account (empty: of all), the newest first."""
    matching = {"account": account} if account else {}
    return await runtime.store.tokens.page(matching, first=first, after=checked_cursor(after), newest_first=True)

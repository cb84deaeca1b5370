"""Sessions: what a browser is known by after its user signed in. A session is kept as tokens are, and ends like one."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from resolvers.access.audit import record
from resolvers.access.principals import SESSION_TEXT, Principal, Scope, authenticated, digest_of
from resolvers.access.tokens import NewToken, store
from resolvers.errors import Conflict, Unauthenticated
from resolvers.runtime import Runtime
from storage import Token

NAME = "dashboard"


async def open_with_token(runtime: Runtime, token: str, life_ms: int) -> tuple[Token, str]:
    """Open a session that may do what the token may; it ends with the token, or after `life_ms`. The session, and its
    text, which is kept nowhere.

    Raises Unauthenticated for a text that is no valid token, and Conflict in a pool that takes none.
    """
    if not runtime.wants_tokens:
        raise Conflict("this pool takes no tokens (--auth open): everybody is its operator, without signing in")
    if not token:
        raise Unauthenticated("signing in takes a token: cp_...")
    principal = await authenticated(runtime, token)
    ends = runtime.now() + life_ms
    if principal.expires_at:
        ends = min(ends, principal.expires_at)
    new = NewToken(NAME, sorted(principal.scopes), ends)
    return await _open(runtime, principal.account, new, made_by=principal.token)


async def open_for(runtime: Runtime, account: str, scopes: Sequence[Scope], life_ms: int) -> tuple[Token, str]:
    """Open a session of an account whose owner is known otherwise."""
    new = NewToken(NAME, scopes, runtime.now() + life_ms)
    return await _open(runtime, account, new)


async def _open(runtime: Runtime, account: str, new: NewToken, made_by: str = "") -> tuple[Token, str]:
    session, text = await store(runtime, "cs", account, new, is_session=True, made_by=made_by)
    await record(runtime, Principal(account, token=made_by or session.key), "signIn", f"session {session.key}")
    return session, text


async def close(runtime: Runtime, session: str) -> None:
    """End a session now, by its text. A text that is no session's ends nothing."""
    shape = SESSION_TEXT.fullmatch(session)
    stored = await runtime.store.tokens.get(Token.id_of(shape[1])) if shape else None
    if stored is not None and hmac.compare_digest(stored.digest, digest_of(session)):
        await runtime.store.tokens.revoke(stored, runtime.now())
        await record(runtime, Principal(stored.account, token=stored.key), "signOut", f"session {stored.key}")

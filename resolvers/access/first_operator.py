"""The one-time link by which a new pool's operator signs in for the first time, as Jupyter has one
(https://jupyter-server.readthedocs.io/en/latest/operators/security.html).

It is kept as a token is: by its SHA-256, with an end. It counts as neither a token nor a session, whose texts begin
otherwise.
"""

from __future__ import annotations

import hmac
import re

from resolvers.access import accounts, sessions
from resolvers.access.principals import TOKEN_TEXT, Scope, digest_of
from resolvers.access.tokens import NewToken, store
from resolvers.errors import AlreadyExists, InProgress, Unauthenticated
from resolvers.runtime import Runtime
from storage import Account, Token

ACCOUNT = "operator"
NAME = "one-time link"
LIFE_MS = 24 * 3600 * 1000
PREFIX = "cl"
LINK_TEXT = re.compile(TOKEN_TEXT.pattern.replace("cp_", f"{PREFIX}_", 1))
TOKENS_A_PAGE = 100


async def new_link(runtime: Runtime) -> str:
    """The text of a new link; empty in a pool that takes no tokens, or where an operator has signed in before, or has a
    token. Links that were made before end.

    Of several processes that start at once the last one's link counts.
    """
    if not runtime.wants_tokens:
        return ""
    earlier: list[Token] = []
    after = ""
    while page := await runtime.store.tokens.page({}, first=TOKENS_A_PAGE, after=after):
        for token in page:
            if token.is_link:
                earlier.append(token)
            elif Scope.OPERATE in token.scopes:
                return ""
        after = page[-1].seq
    try:
        await accounts.create(runtime, ACCOUNT)
    except AlreadyExists:
        pass
    except InProgress:
        return ""
    for token in earlier:
        await runtime.store.tokens.revoke(token, runtime.now())
    new = NewToken(NAME, tuple(Scope), runtime.now() + LIFE_MS)
    _, text = await store(runtime, PREFIX, ACCOUNT, new, is_link=True)
    return text


async def follow(runtime: Runtime, link: str, life_ms: int) -> tuple[Token, str]:
    """Open an operator's session of at most `life_ms` by a link, which ends with that; as `sessions.open_with_token`.

    Raises Unauthenticated for a link that has ended, or never was one of this pool's.
    """
    shape = LINK_TEXT.fullmatch(link)
    stored = await runtime.store.tokens.get(Token.id_of(shape[1])) if shape else None
    is_good = stored is not None and hmac.compare_digest(stored.digest, digest_of(link))
    # Of several who follow it at the same time one ends it.
    if (
        not (runtime.wants_tokens and is_good and stored)
        or stored.expires_at <= runtime.now()
        or not await runtime.store.accounts.get(Account.id_of(stored.account))
        or not await runtime.store.tokens.revoke(stored, runtime.now())
    ):
        raise Unauthenticated(
            "this link works once, for a day, and until the server is started again: sign in with a token, which "
            "`comp-pool token create operator --scope operate` makes at the pool's machine"
        )
    return await sessions.open_for(runtime, stored.account, tuple(Scope), life_ms)

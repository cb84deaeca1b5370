"""Principals: who asks."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from resolvers.errors import Unauthenticated
from resolvers.identifiers import TOKEN_KEY
from resolvers.runtime import Runtime
from storage import Token

SECRET_CHARACTERS = 43
TOKEN_TEXT = re.compile(rf"cp_({TOKEN_KEY.pattern})[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}}")
SESSION_TEXT = re.compile(TOKEN_TEXT.pattern.replace("cp_", "cs_", 1))
USE_NOTED_EVERY_MS = 60_000


class Scope(StrEnum):
    """What a token is good for."""

    SUBMIT = "submit"
    READ = "read"
    COMPUTE = "compute"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        account: the key of the account that was authenticated; empty: none was.
        scopes: what its token is good for.
        token: the key of that token, or of that session.
        expires_at: when the token ends, or that which the session was opened with, in ms since the epoch; 0: never.
    """

    account: str = ""
    scopes: frozenset[Scope] = frozenset()
    token: str = ""
    expires_at: int = 0

    @property
    def is_operator(self) -> bool:
        return Scope.OPERATE in self.scopes

    def has(self, scope: Scope) -> bool:
        """Whether it may do what the scope is for; an operator may do everything."""
        return self.is_operator or scope in self.scopes


class UnknownToken(Unauthenticated):
    """A text that is no token of this pool, and never was."""


ANONYMOUS = Principal()
EVERYBODY = Principal(scopes=frozenset(Scope))
"""Who asks a pool that wants no tokens: everybody is its operator."""


async def authenticated(runtime: Runtime, token: str) -> Principal:
    """Who shows this token, or nothing (an empty text, which costs no operation of the store).

    Raises Unauthenticated for a text that is no valid token.
    """
    if not runtime.wants_tokens:
        return EVERYBODY
    if not token:
        return ANONYMOUS
    stored = await _stored(runtime, TOKEN_TEXT, token)
    await _check_valid(runtime, stored)
    return _principal(runtime, stored, stored.expires_at)


async def of_session(runtime: Runtime, session: str) -> Principal:
    """Who shows this session. Nobody, where it has ended: a page of volunteers or readers works on without it."""
    if not runtime.wants_tokens:
        return EVERYBODY
    try:
        stored = await _stored(runtime, SESSION_TEXT, session)
        await _check_valid(runtime, stored)
        maker = await runtime.store.tokens.shown(stored.made_by) if stored.made_by else None
        if maker is None:
            return ANONYMOUS if stored.made_by else _principal(runtime, stored, 0)
        await _check_valid(runtime, maker)
        return _principal(runtime, stored, maker.expires_at)
    except Unauthenticated:
        return ANONYMOUS


def _principal(runtime: Runtime, token: Token, expires_at: int) -> Principal:
    _note_use(runtime, token)
    return Principal(token.account, frozenset(map(Scope, token.scopes)), token.key, expires_at)


async def _stored(runtime: Runtime, pattern: re.Pattern[str], text: str) -> Token:
    shape = pattern.fullmatch(text)
    stored = await runtime.store.tokens.shown(shape[1]) if shape else None
    if stored is None or not hmac.compare_digest(stored.digest, digest_of(text)):
        raise UnknownToken("this pool knows no such token")
    return stored


async def _check_valid(runtime: Runtime, token: Token) -> None:
    if token.revoked_at:
        raise Unauthenticated("this token was revoked: ask for another one")
    if 0 < token.expires_at <= runtime.now():
        raise Unauthenticated("this token has expired: ask for another one")
    account = await runtime.store.accounts.shown(token.account)
    if account is None or account.blocked_at:
        state = "blocked by the pool's operator" if account else "deleted"
        raise Unauthenticated(f"the account {token.account!r} of this token is {state}")


def _note_use(runtime: Runtime, token: Token) -> None:
    now = runtime.now()
    if now - token.used_at >= USE_NOTED_EVERY_MS:
        token.used_at = now
        runtime.spawn(runtime.store.tokens.note_use(token, now))


def digest_of(token: str) -> str:
    """SHA-256 (hex) of a token's text. It is random enough to need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()

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
        token: the key of that token.
        expires_at: when that ends, in ms since the epoch; 0: never.
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
    stored = await _stored(runtime, token)
    _note_use(runtime, stored)
    return Principal(stored.account, frozenset(map(Scope, stored.scopes)), stored.key, stored.expires_at)


async def _stored(runtime: Runtime, token: str) -> Token:
    shape = TOKEN_TEXT.fullmatch(token)
    stored = await runtime.store.tokens.shown(shape[1]) if shape else None
    if stored is None or not hmac.compare_digest(stored.digest, digest_of(token)):
        raise UnknownToken("this pool knows no such token")
    if stored.revoked_at:
        raise Unauthenticated("this token was revoked: ask for another one")
    if 0 < stored.expires_at <= runtime.now():
        raise Unauthenticated("this token has expired: ask for another one")
    return stored


def _note_use(runtime: Runtime, token: Token) -> None:
    now = runtime.now()
    if now - token.used_at >= USE_NOTED_EVERY_MS:
        token.used_at = now
        runtime.spawn(runtime.store.tokens.note_use(token, now))


def digest_of(token: str) -> str:
    """SHA-256 (hex) of a token's text. It is random enough to need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()

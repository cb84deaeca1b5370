"""Identities: who somebody is to an OpenID Connect provider, and the account that this one has here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from slugify import slugify

from resolvers.access import accounts
from resolvers.access.principals import Scope
from resolvers.errors import AlreadyExists, Forbidden, InProgress
from resolvers.identifiers import ACCOUNT_KEY
from resolvers.runtime import Runtime
from storage import Account

ANYONE = "*"
OWNER_SCOPES = (Scope.SUBMIT, Scope.READ, Scope.COMPUTE)
MOST_NAME_CHARACTERS = 80
MOST_NAMESAKES = 1_000
NAMELESS = "Somebody"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says of somebody (https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).

    Attributes:
        email: lower case; empty unless the provider has verified it.
        names: what its account may be called, the best first.
    """

    issuer: str
    subject: str
    email: str = ""
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, issuer: str, claims: Mapping[str, Any]) -> Self:
        email = claims.get("email")
        is_verified = isinstance(email, str) and claims.get("email_verified") is True
        said = (claims.get("preferred_username"), claims.get("name"), str(email or "").partition("@")[0])
        names = tuple(usable(name) for name in said if isinstance(name, str) and slugify(name))
        return cls(issuer, str(claims["sub"]), str(email).lower() if is_verified else "", names)

    @property
    def digest(self) -> str:
        """What is stored of it: the same subject of another issuer is somebody else."""
        return hashlib.sha256(json.dumps([self.issuer, self.subject]).encode()).hexdigest()

    def is_among(self, listed: Sequence[str]) -> bool:
        """Whether a list of subjects, e-mail addresses and `@domains` names it.

        What has an `@` is never a subject: some providers let their users choose these.
        """
        addresses = {self.email, f"@{self.email.rpartition('@')[2]}"} if self.email else set()
        return any(each.lower() in addresses if "@" in each else each == self.subject for each in listed)


@dataclass(frozen=True, slots=True)
class Members:
    """Whom an operator lets in: as an operator, and with an account that is made at the first sign-in."""

    operators: Sequence[str] = ()
    may_sign_up: Sequence[str] = ()

    def scopes_of(self, identity: Identity) -> tuple[Scope, ...]:
        return tuple(Scope) if identity.is_among(self.operators) else OWNER_SCOPES

    def may_have_account(self, identity: Identity) -> bool:
        return ANYONE in self.may_sign_up or identity.is_among([*self.operators, *self.may_sign_up])


async def account_of(runtime: Runtime, identity: Identity, members: Members) -> Account:
    """The account of an identity, which is made where there is none yet and it may have one.

    Raises Forbidden.
    """
    known = await runtime.store.accounts.page({"identity": identity.digest}, first=1)
    if known:
        return known[0]
    if not members.may_have_account(identity):
        raise Forbidden("there is no account for this sign-in: ask an operator of the pool")
    # Two sign-ins of the same one at once try the same names, and the second finds the account of the first.
    [name, *_] = [*identity.names, NAMELESS]
    for number in range(1, MOST_NAMESAKES):
        try:
            return await accounts.create(runtime, f"{name} {number}" if number > 1 else name, identity.digest)
        except (AlreadyExists, InProgress):
            continue
    raise Forbidden(f"there are too many accounts called {name!r}: ask an operator of the pool")


def usable(name: str) -> str:
    """The part of a name that an account's can be made of."""
    text = "".join(character for character in name if character.isprintable()).strip()[:MOST_NAME_CHARACTERS]
    return text if ACCOUNT_KEY.fullmatch(slugify(text)) else slugify(text)[:MOST_NAME_CHARACTERS].strip("-")

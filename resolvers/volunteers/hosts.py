"""Volunteers' clients. A host is pseudonymous: a random key and the pool's signature under it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.errors import NotFound, Unauthenticated
from resolvers.identifiers import HOST_KEY, checked_cursor, checked_text
from resolvers.runtime import Runtime, new_seq
from resolvers.volunteers.interests import Interests
from storage import Host

SIGNATURE_CHARACTERS = 22
MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """`key` is public, `token` is the host's own secret: it proves that later requests come from the same one."""

    key: str
    token: str


def _sign(runtime: Runtime, key: str) -> str:
    return runtime.signature(key, SIGNATURE_CHARACTERS)


async def identify(runtime: Runtime, token: str | None, name: str = "", *, group: str = "") -> HostIdentity:
    """The host that `token` speaks for; a new host if there is no token, of the address `group`.

    Raises Unauthenticated for a token this pool never gave out, and for that of a host that is deleted; RateLimited.
    """
    if token:
        host = known(runtime, token)
        if not await runtime.store.hosts.is_there(Host.id_of(host.key)):
            raise Unauthenticated("this host was deleted; leave `host` out to come as a new one", field="host")
        return host
    checked_text(name, field="hostName", most=MAX_NAME_CHARACTERS)
    key = secrets.token_hex(8)
    if rate := runtime.limits.new_host_rate:
        runtime.rates.check(rate, group, what="new hosts from your network")
    await _register(runtime, key, name, group)
    runtime.part(Interests).know_new(key)
    return HostIdentity(key, f"{key}.{_sign(runtime, key)}")


def key_in(token: str | None) -> str:
    """The pseudonym that a host's token names, whoever made the token; empty without one."""
    return token.partition(".")[0] if token else ""


def known(runtime: Runtime, token: str) -> HostIdentity:
    """The host that a token speaks for, which counts as a request of it. Raises Unauthenticated and RateLimited."""
    key, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(runtime, key).encode()):
        raise Unauthenticated(
            "this host token was not given out by this pool; leave `host` out to get a new one", field="host"
        )
    if rate := runtime.limits.host_rate:
        runtime.rates.check(rate, key, what="requests of this host")
    return HostIdentity(key, token)


async def anonymous(runtime: Runtime, address: str, *, group: str = "") -> str:
    """The key of the host at a network address that brought no token, such as a legacy REST client.

    Raises RateLimited.
    """
    key = f"a{runtime.signature(address, 15)}"
    rate = runtime.limits.new_host_rate
    if rate is None:
        await _register(runtime, key, "anonymous", group)
    # Another client at the same address is another host: a new one counts, and those that are known go on.
    elif runtime.rates.has_room(rate, group):
        if await _register(runtime, key, "anonymous", group):
            runtime.rates.wait_s(rate, group)
    elif await runtime.store.hosts.get(Host.id_of(key)) is None:
        runtime.rates.check(rate, group, what="new hosts from your network")
    return key


async def _register(runtime: Runtime, key: str, name: str, group: str) -> bool:
    """False where the host is known."""
    now = runtime.now()
    return await runtime.store.hosts.insert(
        Host(id=Host.id_of(key), seq=new_seq(), name=name, group=group, created_at=now, seen_at=now, claimed_at=now)
    )


async def find(runtime: Runtime, key: str) -> Host | None:
    """The host with this key, or None."""
    return await runtime.store.hosts.get(Host.id_of(key)) if HOST_KEY.fullmatch(key) else None


async def get(runtime: Runtime, key: str) -> Host:
    """Raises NotFound."""
    host = await find(runtime, key)
    if host is None:
        raise NotFound(f"there is no host {key[:100]!r}")
    return host


async def page(runtime: Runtime, *, first: int, after: str = "", group: str = "") -> Sequence[Host]:
    """The hosts that ever came, or those of an address group, the newest first."""
    matching = {"group": group} if group else {}
    return await runtime.store.hosts.page(matching, first=first, after=checked_cursor(after), newest_first=True)

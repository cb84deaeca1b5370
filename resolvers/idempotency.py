"""Requests that may be repeated: what one idempotency key stands for is carried out once
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from resolvers.errors import IdempotencyMismatch, InProgress
from resolvers.identifiers import checked_text
from resolvers.runtime import Runtime, new_seq
from resolvers.turns import aside
from storage import Request

KEPT_MS = 24 * 3600 * 1000
MOST_KEY_CHARACTERS = 200
MARK_CHARACTERS = 32


@dataclass(frozen=True)
class Repeatable:
    """A request that may come again.

    Attributes:
        scope: where its key means anything; the same key elsewhere is another request.
        key: what it is repeated by; empty: it never is.
        weight: how much that is, in bytes of JSON (`turns.aside`).
        meaning: returns all that it asks for, as a JSON value: defaults are filled in, and URLs are keys, so that
            another spelling of the same request is the same request. Called once, and only for a request with a key.
    """

    scope: str
    key: str
    meaning: Callable[[], Any]
    weight: int = 0

    def __post_init__(self) -> None:
        """Raises BadInput for a key that can't be one."""
        checked_text(self.key, field="idempotencyKey", most=MOST_KEY_CHARACTERS)

    @property
    def id(self) -> str:
        return f"req:{_digest(self.scope, self.key)}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is asked for, whatever the order of keys in objects."""
        return hashlib.sha256(orjson.dumps(self.meaning(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def mark(self) -> str:
        """What is made by this request is known by it: 32 hexadecimal digits, which nobody can guess who does not know
        scope, key and meaning. Empty without a key."""
        return _digest(self.scope, self.key, self.digest)[:MARK_CHARACTERS] if self.key else ""


async def once(runtime: Runtime, repeatable: Repeatable, carry_out: Callable[[], Awaitable[str]], *, about: str) -> str:
    """What `carry_out` returns for this request the first time that it comes, and for a day the same again.

    Nothing is kept of a request that fails: it may be tried again. A request whose process died may be as soon as that
    is taken for dead, and finds what was made already by its `mark`.

    Args:
        carry_out: returns a text that isn't empty.
        about: the id of the job or flow that the answer is about, and is forgotten with.

    Raises InProgress while another carries the request out, IdempotencyMismatch for a key that came with something
    else, and what `carry_out` raises.
    """
    if not repeatable.key:
        return await carry_out()
    await aside(lambda: repeatable.digest, weight=repeatable.weight)
    now = runtime.now()
    request = Request(
        id=repeatable.id,
        token=new_seq(),
        digest=repeatable.digest,
        about=about,
        due=now + runtime.takeover_ms,
        created_at=now,
    )
    while not await runtime.store.requests.insert(request):
        earlier = await runtime.store.requests.get(request.id)
        if earlier is None:
            continue
        if earlier.token == request.token:  # The answer of the insert was lost, and it was repeated.
            break
        if earlier.due < now:
            await runtime.store.requests.forget(earlier)
            continue
        return _answer(repeatable, earlier, request.digest)
    try:
        request.answer = await carry_out()
    except (Exception, asyncio.CancelledError):
        await runtime.store.requests.forget(request)
        raise
    request.due = runtime.now() + KEPT_MS
    await runtime.store.requests.keep(request)
    return request.answer


def _answer(repeatable: Repeatable, earlier: Request, digest: str) -> str:
    if earlier.digest != digest:
        raise IdempotencyMismatch(
            f"the idempotency key {repeatable.key!r} came before with another request", field="idempotencyKey"
        )
    if not earlier.answer:
        raise InProgress(
            f"the request with the idempotency key {repeatable.key!r} is still carried out; try again in a moment",
            field="idempotencyKey",
        )
    return earlier.answer


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

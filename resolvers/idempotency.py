"""Requests that may be repeated: what one idempotency key stands for is carried out once
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from resolvers.errors import IdempotencyMismatch, InProgress
from resolvers.runtime import Runtime, new_seq
from storage.requests import Request

KEPT_MS = 24 * 3600 * 1000
TAKEOVER_MS = 60_000


async def once(runtime: Runtime, scope: str, key: str, said: bytes, carry_out: Callable[[], Awaitable[str]]) -> str:
    """What `carry_out` answers the first time that `key` comes in `scope`, and for a day the same again.

    Nothing is kept of a request that fails: it may be tried again. One whose process died may be, after a minute:
    what it carries out must bear that.

    Args:
        scope: where the key means anything; the same key elsewhere is another request.
        said: all that the request says beside its key.
        carry_out: answers a text that isn't empty.

    Raises InProgress while another carries the request out, IdempotencyMismatch for a key that came with something
    else, and what `carry_out` raises.
    """
    now = runtime.now()
    request = Request(
        id=f"req:{_digest(scope.encode() + b' ' + key.encode())}",
        token=new_seq(),
        digest=_digest(said),
        due=now + TAKEOVER_MS,
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
        if earlier.digest != request.digest:
            raise IdempotencyMismatch(
                f"the idempotency key {key!r} came before with another request", field="idempotencyKey"
            )
        if not earlier.answer:
            raise InProgress(
                f"the request with the idempotency key {key!r} is still carried out; try again in a moment",
                field="idempotencyKey",
            )
        return earlier.answer
    try:
        request.answer = await carry_out()
    except Exception:
        await runtime.store.requests.forget(request)
        raise
    request.due = runtime.now() + KEPT_MS
    await runtime.store.requests.keep(request)
    return request.answer


def _digest(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()

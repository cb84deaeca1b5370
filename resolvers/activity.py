"""Telling dashboards what changes in the pool's counts.

A cursor holds a digest of each count that its client knows: any server process can tell what is another one by now, and
none remembers anything of a client.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from resolvers.errors import BadInput
from resolvers.pool import PoolStatus
from resolvers.runtime import Runtime

COUNTS = ("tasks", "results_last_minute", "results_last_hour", "hosts", "active_hosts", "verdicts_last_hour", "claims")
DIGEST_BYTES = 6
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class PoolDelta:
    """The pool's counts now. `changed` names those of `COUNTS` that are others than at the cursor before this one;
    `claims` are the tasks of the last minute by job scheduler."""

    cursor: str
    status: PoolStatus
    claims: Mapping[str, int]
    changed: frozenset[str]


async def watch(runtime: Runtime, after: str = "") -> AsyncGenerator[PoolDelta, None]:
    """What changes behind a cursor (empty: all is new), at most once a second; the first delta comes at once, whether
    anything has changed or not. A slow reader gets fewer deltas, with what is different by then.

    Raises BadInput for a cursor that is none, and Unavailable when this process stops.
    """
    known = _parts(after)
    first = True
    while True:
        runtime.check_not_draining()
        delta = await _delta(runtime, known)
        if first or delta.changed:
            yield delta
            known = _parts(delta.cursor)
            first = False
        await asyncio.sleep(PAUSE_S)


async def _delta(runtime: Runtime, known: Mapping[str, str]) -> PoolDelta:
    status = await runtime.status.status(runtime.now())
    claims = runtime.handouts.last_minute(runtime.now())
    digests = {name: _digest(claims if name == "claims" else getattr(status, name)) for name in COUNTS}
    changed = frozenset(name for name in COUNTS if digests[name] != known.get(name))
    return PoolDelta("".join(digests.values()), status, claims, changed)


def _digest(count: Any) -> str:
    text = orjson.dumps(count, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest()


def _parts(cursor: str) -> Mapping[str, str]:
    """The digest of each count in a cursor; none in an empty one. Raises BadInput."""
    if not cursor:
        return {}
    width = 2 * DIGEST_BYTES
    if len(cursor) != width * len(COUNTS) or set(cursor) - set("0123456789abcdef"):
        raise BadInput(f"{cursor[:100]!r} is no cursor of this subscription", field="after")
    return {name: cursor[at * width : (at + 1) * width] for at, name in enumerate(COUNTS)}

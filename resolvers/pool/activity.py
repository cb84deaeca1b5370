"""Reporting to dashboards what changes in the pool's counts.

A cursor holds a digest of each count that its client knows, and when they were taken: any server process can find out
which counts are others by now, and no process remembers anything of a client.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from resolvers.errors import BadInput
from resolvers.pool.counts import PoolStatus, PoolStatusCache
from resolvers.runtime import Runtime
from resolvers.volunteers.claim_counts import ClaimCounts
from storage.engines.clock import TIME_DIGITS, revision_at, time_of

COUNTS = ("tasks", "results_last_minute", "results_last_hour", "hosts", "active_hosts", "verdicts_last_hour", "claims")
DIGEST_DIGITS = 12
PAUSE_S = 1.0
CURSOR = re.compile(rf"[0-9a-f]{{{TIME_DIGITS + DIGEST_DIGITS * len(COUNTS)}}}")


@dataclass(frozen=True, slots=True)
class PoolDelta:
    """The pool's counts now. `changed` names those of `COUNTS` that are others than at the cursor before this one;
    `claims` are the tasks of the last minute by job scheduler."""

    cursor: str
    status: PoolStatus
    claims: Mapping[str, int]
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a client knows: the digest of each count, and when they were measured (ms since the epoch)."""

    measured_at: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str) -> _Known:
        """Raises BadInput for a cursor that is none; empty: nothing is known."""
        if not cursor:
            return cls()
        if not CURSOR.fullmatch(cursor):
            raise BadInput(f"{cursor[:100]!r} is no cursor of this subscription", field="after")
        starts = range(TIME_DIGITS, len(cursor), DIGEST_DIGITS)
        digests = {name: cursor[at : at + DIGEST_DIGITS] for name, at in zip(COUNTS, starts, strict=True)}
        return cls(time_of(cursor), digests)

    @property
    def cursor(self) -> str:
        return revision_at(self.measured_at)[:TIME_DIGITS] + "".join(self.digests[name] for name in COUNTS)


async def watch(runtime: Runtime, after: str = "") -> AsyncGenerator[PoolDelta, None]:
    """What changes after a cursor (empty: all is new), at most once a second; the first delta comes at once, whether
    anything has changed or not. A slow reader gets fewer deltas, with what is different by then.

    Raises BadInput for a cursor that is none, and Unavailable when this process stops.
    """
    known = _Known.of(after)
    # A cursor of times to come would hide all until then.
    known = replace(known, measured_at=min(known.measured_at, runtime.now()))
    first = True
    while True:
        runtime.check_not_draining()
        delta = await _delta(runtime, known)
        if first or delta.changed:
            yield delta
            known = _Known.of(delta.cursor)
            first = False
        await asyncio.sleep(PAUSE_S)


async def _delta(runtime: Runtime, known: _Known) -> PoolDelta:
    status = await runtime.part(PoolStatusCache).status()
    claims = runtime.part(ClaimCounts).last_minute()
    counts = {name: claims if name == "claims" else getattr(status, name) for name in COUNTS}
    digests = {name: _digest(count) for name, count in counts.items()}
    if status.begun_at < known.measured_at:
        # The client knows of younger counts: another process reported them, or this one before.
        digests = {**known.digests, "claims": digests["claims"]}
        status = replace(status, measured_at=known.measured_at)
    changed = frozenset(name for name in COUNTS if digests[name] != known.digests.get(name))
    return PoolDelta(_Known(status.measured_at, digests).cursor, status, claims, changed)


def _digest(count: Any) -> str:
    text = orjson.dumps(count, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=DIGEST_DIGITS // 2).hexdigest()

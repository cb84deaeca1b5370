"""Reporting to dashboards what changes in a flow, whichever server process changed it.

Everything that changes carries a time-ordered revision. The process's poller wakes the watchers of flows that changed,
and each watcher reads what is new in its own flow. It is asked for its next delta only when the last one was sent: a
slow client gets fewer and larger ones, and nothing piles up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from resolvers.access.principals import EVERYBODY, Principal
from resolvers.errors import BadInput
from resolvers.flows import progress, reading
from resolvers.flows.poller import FlowPoller
from resolvers.flows.progress import Progress
from resolvers.identifiers import REVISION
from resolvers.runtime import Runtime
from storage import Flow, FlowJob
from storage.engines.clock import revision_at, time_of

HOLD_BACK_MS = 2_000
"""A job's change is reported once its revision is this old (ms): a revision that another process took earlier is
stored by then, or its change comes again with a younger revision. Twice of what `storage.resumable` calls prompt."""
LATE_MS = 10_000
"""How far before its cursor (ms) the last delta reports changes once more."""
POLL_S = 2.0
PAUSE_S = 0.25
MOST_NODES = 200


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in a flow since the cursor before this one.

    `reset`: more jobs changed than one delta holds, or nothing is known of the client's state: `jobs` is empty, and
    the client reads the flow's nodes anew if it shows them.
    """

    cursor: str
    flow: Flow
    progress: Progress
    jobs: Sequence[FlowJob]
    reset: bool


async def watch(
    runtime: Runtime, key: str, after: str = "", principal: Principal = EVERYBODY
) -> AsyncGenerator[Delta, None]:
    """The deltas of a flow that the principal may read, after a cursor (empty: from now on), the last one when it has
    ended.

    Raises NotFound, BadInput for a cursor that is none, and Unavailable when this process stops.
    """
    if after and not (REVISION.fullmatch(after) and after < revision_at(runtime.store.clock.now())):
        raise BadInput(f"{after[:100]!r} is no cursor of this subscription", field="after")
    flow = await reading.get(runtime, key, principal)
    last: Delta | None = None
    with runtime.part(FlowPoller).watching(flow.id) as changed:
        cursor = after
        while True:
            runtime.check_not_draining()
            changed.clear()
            delta, told = await _delta(runtime, flow.key, cursor)
            if last is None or _is_news(last, delta):
                yield delta
                last = delta
                cursor = delta.cursor
            elif not delta.jobs and not delta.reset:
                cursor = delta.cursor
            if delta.flow.ended:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), POLL_S if told else HOLD_BACK_MS / 1000)
            await asyncio.sleep(PAUSE_S)


async def _delta(runtime: Runtime, key: str, cursor: str) -> tuple[Delta, bool]:
    """What changed after the cursor, and whether that is all: some changes may be too young to be reported."""
    flow, at = await _now(runtime, key)
    horizon = revision_at(runtime.store.clock.now() - HOLD_BACK_MS)
    found: Sequence[FlowJob] = []
    if cursor:
        # A change that was stored late gets a younger revision, and the flow may have ended since.
        since = revision_at(time_of(cursor) - LATE_MS) if flow.ended else cursor
        found = await runtime.store.flow_jobs.changed_since(flow.id, since, MOST_NODES + 1)
    # Of a flow that has ended everything is stored.
    old = found if flow.ended else [each for each in found if each.rev < horizon]
    reset = not cursor or len(old) > MOST_NODES
    delta = Delta(
        cursor=max(cursor, horizon),
        flow=flow,
        progress=at,
        jobs=[] if reset else old,
        reset=reset,
    )
    return delta, len(old) == len(found)


async def _now(runtime: Runtime, key: str) -> tuple[Flow, Progress]:
    """A flow with its progress, counted while it was just that: not what was there before a retry."""
    flow = await reading.get(runtime, key)
    while True:
        at = await progress.of_flow(runtime, flow)
        current = await reading.get(runtime, key)
        if current.rev == flow.rev:
            return flow, at
        flow = current


def _is_news(last: Delta, delta: Delta) -> bool:
    """Whether a delta reports anything. Counts that ran back within a generation were read while they changed."""
    if delta.flow.ended:
        return True
    if delta.flow.generation == last.flow.generation and delta.progress.ended < last.progress.ended:
        return False
    return bool(
        delta.jobs
        or delta.reset
        or delta.flow.state != last.flow.state
        or dict(delta.progress.by_state) != dict(last.progress.by_state)
    )

"""One poller a process: which of the watched flows changed, whichever process changed them."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from resolvers.runtime import Runtime
from storage.engines import StorageUnavailable

log = logging.getLogger(__name__)

POLL_S = 0.25
"""How long it doesn't look after it has looked, in seconds: as often as that where the store reports no changes."""
MOST_CHANGES = 5_000


class FlowPoller:
    """Wakes the watchers of flows that changed. Runs only while somebody watches."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = store = runtime.store
        runtime.when_draining.append(self.wake_all)
        runtime.when_closing.append(self.close)
        self._changes = store.database.changes(store.flows.collection_name, store.flow_jobs.collection_name)
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._jobs_at = ""
        self._flows_at = ""

    @contextmanager
    def watching(self, flow_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the flow has changed."""
        changed = asyncio.Event()
        self._watchers[flow_id].add(changed)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll(), name="flow poller")
        try:
            yield changed
        finally:
            self._watchers[flow_id].discard(changed)
            if not self._watchers[flow_id]:
                del self._watchers[flow_id]

    def wake_all(self) -> None:
        """Have every watcher look, whether its flow has changed or not."""
        self._wake(set(self._watchers))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _poll(self) -> None:
        while self._watchers:
            moment = None
            try:
                moment = await self._changes.moment()
                await self._look()
            except StorageUnavailable as problem:
                log.warning("watched flows are looked at later: %s", problem)
            await asyncio.sleep(POLL_S)
            await self._changes.wait(moment)
        self._jobs_at = self._flows_at = ""

    async def _look(self) -> None:
        jobs = await self._store.flow_jobs.flows_changed_since(self._jobs_at, MOST_CHANGES) if self._jobs_at else []
        flows = await self._store.flows.changed_since(self._flows_at, MOST_CHANGES) if self._flows_at else []
        self._wake({flow for flow, _ in jobs} | {flow.id for flow in flows})
        self._jobs_at = jobs[-1][1] if jobs else self._jobs_at or await self._store.flow_jobs.newest_rev() or "0"
        self._flows_at = flows[-1].rev if flows else self._flows_at or await self._store.flows.newest_rev() or "0"

    def _wake(self, flow_ids: set[str]) -> None:
        for flow_id in flow_ids & self._watchers.keys():
            for changed in self._watchers[flow_id]:
                changed.set()

"""What every resolver works with, made once a process by the server."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import uuid_utils
from cachetools import TTLCache

from resolvers.errors import Unavailable
from resolvers.flows.poller import FlowPoller
from resolvers.pool.counts import PoolStatusCache
from resolvers.pool.history import ResultHistory
from resolvers.schedulers import Scheduler, load_schedulers
from resolvers.units.queues import OpenLanes
from resolvers.volunteers.claim_counts import Handouts
from sandbox import Sandbox
from storage.store import Store

log = logging.getLogger(__name__)


def new_seq() -> str:
    """A time-ordered unique key (UUIDv7, RFC 9562), later ones of one process sorting behind earlier ones."""
    return uuid_utils.uuid7().hex


@dataclass(slots=True)
class Runtime:
    """The store, the sandbox, the schedulers and the clock (ms since the epoch) of one server process."""

    store: Store
    sandbox: Sandbox
    host_secret: bytes
    lanes: OpenLanes
    status: PoolStatusCache
    flow_poller: FlowPoller
    history: ResultHistory
    now: Callable[[], int]
    schedulers: Mapping[str, Scheduler] = field(default_factory=load_schedulers)
    default_scheduler: str = "random"
    name: str = "comp-pool"
    random: random.Random = field(default_factory=random.Random)
    handouts: Handouts = field(default_factory=Handouts)
    takeover_ms: int = 30_000
    """After how long (ms) a process is taken for dead that has not finished what it began, and others carry it on."""
    draining: bool = False
    """The process is stopping: it hands out no more tasks."""
    known_interests: TTLCache[str, tuple[frozenset[str], frozenset[str]]] = field(
        default_factory=lambda: TTLCache(maxsize=100_000, ttl=30)
    )
    """What hosts asked for in the last half minute: the owners and jobs they support."""
    new_interests: dict[str, int] = field(default_factory=dict)
    """Hosts of which the store does not know it yet, and when they asked (ms since the epoch)."""
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something behind the scenes that the sweeper would finish if this process died."""
        task = asyncio.create_task(self._guarded(work))
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        task.add_done_callback(lambda _: work.close())  # It may be cancelled before it began.

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("work in the background failed; the sweeper carries it on")

    def drain(self) -> None:
        """Hand out no more tasks, and send those who watch elsewhere."""
        self.draining = True
        self.flow_poller.wake_all()

    def check_not_draining(self) -> None:
        """Raises Unavailable for those who watch, once they are to go on elsewhere."""
        if self.draining:
            raise Unavailable("this server is stopping; go on at another one, after the last cursor")

    async def close(self) -> None:
        """Stop what is done behind the scenes."""
        await self.flow_poller.close()
        for task in list(self.background):
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is done behind the scenes."""
        while self.background:
            await asyncio.gather(*self.background)


async def make_runtime(store: Store, sandbox: Sandbox, now: Callable[[], int] | None = None) -> Runtime:
    """The runtime over an open store and a started sandbox, with its defaults; `now` (ms since the epoch) by default
    of the store's clock."""
    now = now or store.clock.now
    secret = await store.secrets.key("hosts")
    return Runtime(
        store,
        sandbox,
        secret,
        OpenLanes(store.lanes, now),
        PoolStatusCache(store, now),
        FlowPoller(store),
        ResultHistory(store),
        now=now,
    )

"""What every resolver works with, made once a process by the server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import uuid_utils

from resolvers.errors import Unavailable
from resolvers.limits import NO_LIMITS, Limits
from resolvers.rates import Rates
from resolvers.schedulers import Scheduler, load_schedulers
from sandbox import Sandbox
from storage import Store

log = logging.getLogger(__name__)

P = TypeVar("P")


def new_seq() -> str:
    """A time-ordered unique key (UUIDv7, RFC 9562); later keys of one process sort after earlier ones."""
    return uuid_utils.uuid7().hex


@dataclass(slots=True)
class Runtime:
    """The store, the sandbox, the schedulers and the clock (ms since the epoch) of one server process."""

    store: Store
    sandbox: Sandbox
    host_secret: bytes
    now: Callable[[], int]
    seconds: Callable[[], float] = time.monotonic
    """What ages are measured by."""
    schedulers: Mapping[str, Scheduler] = field(default_factory=load_schedulers)
    default_scheduler: str = "random"
    name: str = "comp-pool"
    wants_tokens: bool = False
    """Whether who asks is known by a token; else everybody is the operator."""
    keeps_private: bool = False
    """Whether jobs and flows are private whose owners do not say."""
    reviews: bool = False
    """Whether the jobs of accounts that no operator has approved wait for approval."""
    limits: Limits = NO_LIMITS
    free_bytes: Callable[[], float] = lambda: math.inf
    """The free space where the pool's data is."""
    rates: Rates = field(default_factory=Rates)
    request_sandbox_seconds: float = 30.0
    """Processor time of the sandbox that the calls of one request may use together."""
    provider_name: str = ""
    """What the OpenID Connect provider is called that one may sign in with; empty: there is none."""
    random: random.Random = field(default_factory=random.Random)
    takeover_ms: int = 30_000
    """After how long (ms) a process is taken for dead that has not finished what it began, and others carry it on."""
    draining: bool = False
    """The process is stopping: it hands out no more tasks."""
    when_draining: list[Callable[[], object]] = field(default_factory=list)
    when_closing: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    _parts: dict[object, object] = field(default_factory=dict)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def part(self, kind: Callable[[Runtime], P]) -> P:
        """What this process has one of: an object of the class `kind`, made when it is first asked for."""
        if kind not in self._parts:
            self._parts[kind] = kind(self)
        return cast("P", self._parts[kind])

    def signature(self, message: str, characters: int) -> str:
        """The beginning of a message's HMAC-SHA-256 (RFC 2104, hex), which only processes of this pool can make."""
        return hmac.new(self.host_secret, message.encode(), hashlib.sha256).hexdigest()[:characters]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background that the sweeper would finish if this process died."""
        # Not in the caller's context: what is left of its request is none of this work's concern.
        task = asyncio.create_task(self._guarded(work), context=Context())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        task.add_done_callback(lambda _: work.close())  # It may be cancelled before it began.

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("work in the background failed; the sweeper carries it on")

    def drain(self) -> None:
        """Hand out no more tasks, and send those who watch elsewhere."""
        self.draining = True
        for act in self.when_draining:
            act()

    def check_not_draining(self) -> None:
        """Raises Unavailable for those who watch, once they are to go on elsewhere."""
        if self.draining:
            raise Unavailable("this server is stopping; go on at another one, after the last cursor")

    async def close(self) -> None:
        """Stop what is done in the background."""
        for act in self.when_closing:
            await act()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is done in the background."""
        while self._background:
            await asyncio.gather(*self._background)


async def make_runtime(store: Store, sandbox: Sandbox, now: Callable[[], int] | None = None) -> Runtime:
    """The runtime over an open store and a started sandbox, with its defaults; `now` (ms since the epoch) by default
    of the store's clock."""
    return Runtime(store, sandbox, await store.secrets.key("hosts"), now or store.clock.now)

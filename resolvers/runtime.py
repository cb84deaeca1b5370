"""What every resolver works with, made once a process by the server."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import uuid_utils

from resolvers.lanes import OpenLanes
from resolvers.pool import PoolStatusCache
from resolvers.schedulers import Scheduler, load_schedulers
from sandbox import Sandbox
from storage.store import Store


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


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
    schedulers: Mapping[str, Scheduler] = field(default_factory=load_schedulers)
    default_scheduler: str = "random"
    name: str = "comp-pool"
    now: Callable[[], int] = milliseconds
    random: random.Random = field(default_factory=random.Random)
    draining: bool = False
    """The process is stopping: it hands out no more tasks."""


async def make_runtime(store: Store, sandbox: Sandbox) -> Runtime:
    """The runtime over an open store and a started sandbox, with its defaults."""
    secret = await store.secrets.key("hosts")
    return Runtime(store, sandbox, secret, OpenLanes(store.lanes), PoolStatusCache(store))

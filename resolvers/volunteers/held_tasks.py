"""How many tasks a host holds at once."""

from __future__ import annotations

from cachetools import LRUCache

from resolvers.errors import RateLimited
from resolvers.runtime import Runtime
from storage import TaskState

MOST_REMEMBERED = 300_000
RETRY_S = 10


class HeldTasks:
    """The tasks that this process leased to each host. Whether a host holds them still is looked up when they would be
    too many, so that a claim costs nothing as a rule."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._leased: LRUCache[str, list[str]] = LRUCache(MOST_REMEMBERED, getsizeof=len)

    async def room(self, host: str, wanted: int) -> int:
        """How many of the `wanted` tasks the host may lease. Raises RateLimited if none."""
        most = self._runtime.limits.host_leases
        leased = self._leased.get(host, [])
        if not most or len(leased) + wanted <= most:
            return wanted
        held = await self._held(host, leased)
        self._leased[host] = held
        if len(held) >= most:
            raise RateLimited(
                f"this host holds {len(held):,} tasks, and at most {most:,} are leased to a host at once: report or "
                "release some",
                field="first",
                retry_after_s=RETRY_S,
            )
        return min(wanted, most - len(held))

    def note(self, host: str, tasks: list[str]) -> None:
        """Tasks were leased to the host."""
        if self._runtime.limits.host_leases:
            self._leased[host] = [*self._leased.get(host, []), *tasks]

    async def _held(self, host: str, leased: list[str]) -> list[str]:
        tasks = await self._runtime.store.tasks.get_many(leased)
        return [task.id for task in tasks.values() if task.status == TaskState.LEASED and task.host == host]

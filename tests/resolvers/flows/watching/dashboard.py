"""A client that watches a flow, and volunteers that compute it meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from resolvers.flows import reading
from resolvers.flows.watching import Delta, watch
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from storage import FlowState
from tests.resolvers.flows.hive import report
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import NEVER, below

PATIENCE_S = 180.0
ROOT = Level(
    [Job("count", "only", repeat=below(4)), Job("number", "zero", condition=NEVER)],
    [
        Level([Job("number", "three")] * 30 + [Job("flaky", policy={"max_errors": 1})] * 10),
        Level([Job("object", "pair")] * 20, [Level([Job("bare", condition=NEVER)] * 5 + [Job("grow")])]),
    ],
)
"""67 jobs."""
STANDSTILL = Level([Job("number", "three")])


@asynccontextmanager
async def volunteers(
    runtimes: Sequence[Runtime],
    chance: random.Random,
    pause_s: float = 0.1,
    supported: Callable[[], frozenset[str]] = frozenset,
) -> AsyncIterator[None]:
    """Hosts that compute what there is, one at each process, while the block runs; `supported`: only these jobs."""

    async def volunteer(runtime: Runtime, host: str) -> None:
        while True:
            request = ClaimRequest(host, chance.randint(1, 3), jobs=supported())
            claimed = (await claims.claim(runtime, request)).tasks
            await asyncio.sleep(chance.uniform(0, 2 * pause_s))
            if claimed:
                await reports.submit(runtime, host, [report(host, each) for each in claimed])

    tasks = [asyncio.create_task(volunteer(each, f"host{at}")) for at, each in enumerate(runtimes)]
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


@dataclass(slots=True)
class Dashboard:
    """What a client makes of the deltas it gets."""

    key: str
    jobs: dict[int, tuple[str, int]] = field(default_factory=dict)
    """State and iteration by number."""
    deltas: list[Delta] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cursor(self) -> str:
        return self.deltas[-1].cursor if self.deltas else ""

    async def follow(self, runtime: Runtime, most: int = 1_000_000) -> None:
        """Watch at a process until the flow ends or `most` deltas came, and go on from where it was."""
        async with aclosing(watch(runtime, self.key, self.cursor)) as deltas:
            async for delta in deltas:
                await self.take(runtime, delta)
                most -= 1
                if not most:
                    return

    async def take(self, runtime: Runtime, delta: Delta) -> None:
        counts = delta.progress
        assert sum(counts.by_state.values()) == counts.total
        assert 0 <= counts.fraction <= 1
        if self.deltas and self.deltas[-1].flow.generation == delta.flow.generation:
            before = self.deltas[-1].progress
            assert counts.ended >= before.ended
            assert counts.total >= before.total
            assert counts.fraction >= before.fraction
        self.deltas.append(delta)
        if delta.reset:
            self.jobs = await stored(runtime, self.key)
        self.jobs |= {each.number: (each.state, each.iteration) for each in delta.jobs}
        self.heard.set()

    async def until_told(self, state: FlowState) -> None:
        """Until this is the flow's state, as far as it was told."""
        while not self.deltas or self.deltas[-1].flow.state != state:
            self.heard.clear()
            await self.heard.wait()

    @property
    def ended(self) -> bool:
        return bool(self.deltas) and self.deltas[-1].flow.ended


async def stored(runtime: Runtime, key: str) -> dict[int, tuple[str, int]]:
    found = await reading.jobs_page(runtime, await reading.get(runtime, key), first=1_000)
    return {each.number: (each.state, each.iteration) for each in found}

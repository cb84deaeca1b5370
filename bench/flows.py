"""Flow jobs advanced a second, with volunteers that answer at once, and what it costs to look at flows."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench import pools
from bench.figures import Figure
from resolvers.flows import progress, reading, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.owners import jobs
from resolvers.owners.jobs import NewJob
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, hosts, reports
from resolvers.volunteers.picking import ClaimedTask

PER_SECOND = "jobs/s"
MS = "ms"
AT_ONCE = 50
COUNT = "function (variable, context) { context.result = (context.result || 0) + 1; return context; }"
LOOKS = 5


def flows(scale: float) -> Iterator[Figure]:
    """Figures of a flat flow, a chain of levels, a long `while`, and of looking at flows of growing size, on the
    embedded engine."""
    with tempfile.TemporaryDirectory(prefix="comp-pool-bench-") as directory:
        yield from asyncio.run(_measured(str(Path(directory) / "pool"), scale))


async def _measured(database: str, scale: float) -> list[Figure]:
    async with pools.open_runtime(database) as runtime:
        await jobs.create(runtime, NewJob(name="count", execute_function=COUNT))
        return [*await _advanced(runtime, scale), *await _looked_at(runtime, scale)]


async def _advanced(runtime: Runtime, scale: float) -> list[Figure]:
    flat, deep, long = int(1_000 * scale), max(2, min(int(100 * scale), 190)), int(1_000 * scale)
    shapes = {
        f"a flat flow of {flat:,} jobs": (NewLevel([NewFlowJob("count")] * flat), flat),
        f"a chain of {deep:,} levels": (_chain(deep), deep),
        f"a while of {long:,} iterations": (
            NewLevel([NewFlowJob("count", repeat=f"(variable, context) => context.result < {long}")]),
            long,
        ),
    }
    figures: list[Figure] = []
    for name, (root, runs) in shapes.items():
        with runtime.store.database.count() as operations:
            began = time.perf_counter()
            flow = await submission.submit(runtime, submission.NewFlow(root))
            submitted = time.perf_counter()
            await _compute(runtime, flow.key)
            ended = time.perf_counter()
        figures.append(Figure(f"{name}: submitted", flow.jobs / (submitted - began), PER_SECOND))
        figures.append(Figure(f"{name}: advanced", runs / (ended - submitted), PER_SECOND))
        figures.append(Figure(f"{name}: storage operations a job", operations.total() / runs, "operations"))
    return figures


def _chain(levels: int) -> NewLevel:
    level = NewLevel([NewFlowJob("count")])
    for _ in range(levels - 1):
        level = NewLevel([NewFlowJob("count")], [level])
    return level


async def _compute(runtime: Runtime, key: str) -> None:
    """Be the volunteer until the flow has ended."""
    host = await hosts.identify(runtime, None)
    while True:
        claim = await claims.claim(runtime, claims.ClaimRequest(host=host.key, first=AT_ONCE))
        if claim.tasks:
            await reports.submit(runtime, host.key, [_answer(each) for each in claim.tasks])
        elif (await reading.get(runtime, key)).ended:
            return
        await runtime.settled()


def _answer(claimed: ClaimedTask) -> reports.Report:
    context: dict[str, Any] = orjson.loads(claimed.unit.context)
    value = context.pop("result", 0) + 1
    return reports.Report(claimed.task.id, claimed.task.lease, value, context, elapsed_ms=1)


async def _looked_at(runtime: Runtime, scale: float) -> list[Figure]:
    """The same look at flows of 100, 1,000 and 10,000 jobs; ratios are over the smallest."""
    figures: list[Figure] = []
    first: dict[str, float] = {}
    for size in (100, 1_000, int(10_000 * min(scale, 1.0))):
        if size < 100:
            continue
        flow = await submission.submit(runtime, submission.NewFlow(NewLevel([NewFlowJob("count")] * size)))
        await runtime.settled()
        looks: dict[str, Callable[[], Awaitable[object]]] = {
            "progress": lambda flow=flow: progress.of_flow(runtime, flow),  # type: ignore[misc]
            "nodes(first: 100)": lambda flow=flow: reading.jobs_page(runtime, flow, first=101),  # type: ignore[misc]
            "tree": lambda flow=flow: reading.tree(runtime, flow),  # type: ignore[misc]
        }
        for name, look in looks.items():
            cost = await _cost_ms(look)
            baseline = first.setdefault(name, cost)
            ratio = cost / baseline if size > 100 else None
            figures.append(Figure(f"{name} of a flow of {size:,} jobs", cost, MS, ratio))
    return figures


async def _cost_ms(look: Callable[[], Awaitable[object]]) -> float:
    """The quickest of some looks, in ms."""
    times: list[float] = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await look()
        times.append((time.perf_counter() - began) * 1000)
    return min(times)

"""Dashboards that watch a flow: progress never runs back, nothing is missed, and nothing piles up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from resolvers.errors import BadInput, NotFound, Unavailable
from resolvers.flows import control, reading, watching
from resolvers.flows.poller import FlowPoller
from resolvers.flows.watching import Delta, watch
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from sandbox import Sandbox
from server.sweeper import Sweeper
from storage import Flow, FlowState, NodeState, Store
from storage.engines import Collection
from storage.engines.clock import revision_at
from tests.resolvers.flows.hive import open_pool, report, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import NEVER, below
from tests.resolvers.playing import Died, mortal
from tests.runtimes import start_runtime

PATIENCE_S = 60.0
ROOT = Level(
    [Job("count", "only", repeat=below(4)), Job("number", "zero", condition=NEVER)],
    [
        Level([Job("number", "three")] * 30 + [Job("flaky", policy={"max_errors": 1})] * 10),
        Level([Job("object", "pair")] * 20, [Level([Job("bare", condition=NEVER)] * 5 + [Job("grow")])]),
    ],
)
"""67 jobs."""
STANDSTILL = Level([Job("number", "three")])


@pytest_asyncio.fixture(loop_scope="session")
async def runtime(store: Store, sandbox: Sandbox) -> AsyncIterator[Runtime]:
    """A server process under the real time, which revisions are made of."""
    started = await start_runtime(store, sandbox)
    await open_pool(started)
    yield started
    await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(runtime: Runtime) -> AsyncIterator[Runtime]:
    """Another one on the same store."""
    started = await start_runtime(Store(runtime.store.database), runtime.sandbox)
    yield started
    await started.close()


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


@pytest.mark.parametrize("most_nodes", [watching.MOST_NODES, 3])
async def test_a_client_that_loses_its_connection_misses_nothing(
    runtime: Runtime,
    elsewhere: Runtime,
    chance: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    most_nodes: int,
) -> None:
    """Whichever process it comes back to; with few jobs a delta it is told to read all of them anew."""
    monkeypatch.setattr(watching, "MOST_NODES", most_nodes)
    flow = await submit(runtime, ROOT, keep_going=True)
    steady, jumpy = Dashboard(flow.key), Dashboard(flow.key)
    async with volunteers([runtime, elsewhere], chance), asyncio.TaskGroup() as group:
        group.create_task(steady.follow(elsewhere))
        while not jumpy.ended:
            await jumpy.follow(chance.choice([runtime, elsewhere]), most=chance.randint(1, 4))
            await asyncio.sleep(chance.uniform(0, 1))
    final = await stored(runtime, flow.key)
    assert steady.jobs == jumpy.jobs == final
    for dashboard in (steady, jumpy):
        assert dashboard.deltas[-1].flow.state == FlowState.COMPLETED
        assert dashboard.deltas[-1].progress.fraction == 1.0
        resets = [delta for delta in dashboard.deltas if delta.reset]
        assert len(resets) > 1 if most_nodes == 3 else resets == dashboard.deltas[:1]
        assert all(not delta.jobs for delta in resets)
        assert [delta.cursor for delta in dashboard.deltas] == sorted(delta.cursor for delta in dashboard.deltas)


async def test_what_an_owner_does_meanwhile_is_told_and_each_generation_only_grows(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random
) -> None:
    flow = await submit(runtime, ROOT, keep_going=True)
    dashboard = Dashboard(flow.key)
    acts = [
        (control.pause, FlowState.PAUSED),
        (control.resume, FlowState.RUNNING),
        (control.cancel, FlowState.CANCELLED),
        (control.retry, FlowState.RUNNING),
    ]
    # All but the last level's: it does not complete before its owner is done.
    supported = frozenset({"count", "number", "flaky", "object"})

    async def own() -> None:
        nonlocal supported
        for act, state in [*acts, *acts]:
            await asyncio.sleep(chance.uniform(0, 0.5))
            await act(runtime, flow.key)
            await dashboard.until_told(state)
        supported = frozenset()

    async with (
        volunteers([runtime, elsewhere], chance, pause_s=0.2, supported=lambda: supported),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(own())
        while not dashboard.ended or dashboard.deltas[-1].flow.generation < 2:
            await dashboard.follow(elsewhere)
            await asyncio.sleep(0.05)
    assert dashboard.jobs == await stored(runtime, flow.key)
    generations = [delta.flow.generation for delta in dashboard.deltas]
    assert generations == sorted(generations)
    assert set(generations) == {0, 1, 2}
    told = {delta.flow.state for delta in dashboard.deltas}
    assert {FlowState.PAUSED, FlowState.RUNNING, FlowState.CANCELLED, FlowState.COMPLETED} <= told
    assert dashboard.deltas[-1].flow.state == FlowState.COMPLETED


async def test_progress_does_not_run_back_while_a_retry_is_under_way(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that died over it leaves jobs CANCELLED that wait for the sweeper to reopen them."""
    runtime.takeover_ms = elsewhere.takeover_ms = 100
    flow = await submit(runtime, ROOT)
    await control.cancel(runtime, flow.key)
    with mortal(monkeypatch) as end, suppress(Died):
        # Once it runs again, and before anything is reopened.
        end.operations = 5
        await control.retry(runtime, flow.key)
    dashboard = Dashboard(flow.key)
    await dashboard.follow(elsewhere, most=1)
    first = dashboard.deltas[0]
    assert (first.flow.state, first.flow.generation) == (FlowState.RUNNING, 1)
    assert set((await stored(runtime, flow.key)).values()) >= {(NodeState.CANCELLED, 0)}
    skipped = first.progress.by_state[NodeState.SKIPPED]
    assert first.progress.ended == skipped
    assert first.progress.by_state[NodeState.WAITING] == first.progress.total - skipped
    async with Sweeper(elsewhere, 0.05), volunteers([runtime], chance, pause_s=0.01):
        await dashboard.follow(elsewhere)
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_a_slow_client_gets_fewer_and_larger_deltas_and_nothing_piles_up_for_it(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    changed_since = elsewhere.store.flow_jobs.changed_since

    async def counted(*said: Any) -> Any:
        nonlocal reads
        reads += 1
        return await changed_since(*said)

    monkeypatch.setattr(elsewhere.store.flow_jobs, "changed_since", counted)
    flow = await submit(runtime, ROOT, keep_going=True)
    quick, slow = Dashboard(flow.key), Dashboard(flow.key)
    async with volunteers([runtime], chance, pause_s=0.15), aclosing(watch(elsewhere, flow.key)) as deltas:
        await slow.take(elsewhere, await anext(deltas))
        await slow.take(elsewhere, await anext(deltas))
        before = reads
        await quick.follow(runtime)
        # All the while it was asked for nothing, and did nothing.
        assert reads == before
        async for delta in deltas:
            await slow.take(elsewhere, delta)
    assert slow.jobs == quick.jobs == await stored(runtime, flow.key)
    assert len(slow.deltas) == 3
    assert len(quick.deltas) > 6
    assert len(slow.deltas[-1].jobs) > max(len(delta.jobs) for delta in quick.deltas[:-1])


LATE_S = watching.HOLD_BACK_MS / 1000 + 1


class Dragging:
    """A collection that takes its time over the first update that ends something, and over the first `renewals` of
    its revision."""

    def __init__(self, collection: Collection, renewals: int) -> None:
        self._collection = collection
        self._renewals = renewals
        self.dragged = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def update_many(self, where: Any, changes: Any) -> int:
        renewal = where.keys() == {"rev"}
        if (renewal and self._renewals) or (changes["$set"].get("ended") and not self.dragged.is_set()):
            self._renewals -= renewal
            self.dragged.set()
            await asyncio.sleep(LATE_S)
        return await self._collection.update_many(where, changes)


@pytest.mark.parametrize("renewals", [0, 1])
async def test_a_change_that_another_process_stored_too_late_is_told_all_the_same(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch, renewals: int
) -> None:
    """Its revision is from before what watchers were told of meanwhile."""
    flow = await submit(runtime, Level([Job("bare")], [Level([Job("number", "three")] * 40)]))
    dragging = Dragging(elsewhere.store.flow_jobs._collection, renewals)
    monkeypatch.setattr(elsewhere.store.flow_jobs, "_collection", dragging)
    [late] = (await claims.claim(elsewhere, ClaimRequest("slow"))).tasks
    dashboard = Dashboard(flow.key)
    async with volunteers([runtime], chance, pause_s=0.15), asyncio.TaskGroup() as group:
        group.create_task(dashboard.follow(runtime))
        group.create_task(reports.submit(elsewhere, "slow", [report("slow", late)]))
    assert dragging.dragged.is_set()
    assert sum(delta.reset for delta in dashboard.deltas) == 1
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_what_is_cancelled_after_a_stall_is_told(
    runtime: Runtime, elsewhere: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(runtime, Level([Job("bare")], [Level([Job("number", "three")] * 5)]))
    monkeypatch.setattr(elsewhere.store.levels, "cancel_flow", after_a_stall(elsewhere.store.levels.cancel_flow))
    dashboard = Dashboard(flow.key)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(dashboard.follow(runtime))
        group.create_task(control.cancel(elsewhere, flow.key))
    assert {state for state, _ in dashboard.jobs.values()} == {NodeState.CANCELLED}


async def test_of_a_flow_that_is_long_in_coming_every_job_is_told(
    runtime: Runtime, elsewhere: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    stalled = after_a_stall(elsewhere.store.flow_jobs.insert_many, begun)
    monkeypatch.setattr(elsewhere.store.flow_jobs, "insert_many", stalled)
    submitting = asyncio.create_task(submit(elsewhere, Level([Job("bare")], [STANDSTILL])))
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        [flow] = await reading.page(runtime, first=1)
        dashboard = Dashboard(flow.key)
        async with aclosing(watch(runtime, dashboard.key)) as deltas:
            async for delta in deltas:
                await dashboard.take(runtime, delta)
                if len(dashboard.jobs) == 2 and delta.flow.state == FlowState.RUNNING:
                    break
    await submitting


def after_a_stall(
    method: Callable[..., Awaitable[Any]], begun: asyncio.Event | None = None
) -> Callable[..., Awaitable[Any]]:
    """The method, before which its process stands still for longer than watchers hold back what they are told."""

    async def stalled(*said: Any, **more: Any) -> Any:
        if begun is not None:
            begun.set()
        await asyncio.sleep(LATE_S)
        return await method(*said, **more)

    return stalled


async def test_a_process_that_stops_ends_its_streams_at_once_and_another_goes_on(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(runtime, ROOT, keep_going=True)
    dashboard = Dashboard(flow.key)
    async with aclosing(watch(elsewhere, flow.key)) as deltas:
        await dashboard.take(elsewhere, await anext(deltas))
        await dashboard.take(elsewhere, await anext(deltas))
        # It waits for what changes, and nothing does.
        monkeypatch.setattr(watching, "POLL_S", 10 * PATIENCE_S)
        asking = asyncio.ensure_future(anext(deltas))
        await asyncio.sleep(2 * watching.PAUSE_S)
        elsewhere.drain()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(Unavailable):
                await asking
    with pytest.raises(Unavailable):
        await dashboard.follow(elsewhere)
    async with volunteers([runtime], chance, pause_s=0.01):
        await dashboard.follow(runtime)
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_a_flow_that_has_ended_is_told_in_one_delta(runtime: Runtime, chance: random.Random) -> None:
    flow = await submit(runtime, STANDSTILL)
    early = Dashboard(flow.key)
    await early.follow(runtime, most=1)
    async with volunteers([runtime], chance, pause_s=0.0):
        await Dashboard(flow.key).follow(runtime)
    late = Dashboard(flow.key)
    await late.follow(runtime)
    [told] = late.deltas
    assert (told.reset, told.flow.state) == (True, FlowState.COMPLETED)
    await early.follow(runtime)
    [_, told] = early.deltas
    assert (told.reset, [each.state for each in told.jobs]) == (False, [NodeState.COMPLETED])


@pytest.mark.parametrize("most_nodes", [watching.MOST_NODES, 3])
async def test_at_its_end_a_flow_tells_once_more_what_may_have_been_stored_late(
    runtime: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch, most_nodes: int
) -> None:
    monkeypatch.setattr(watching, "MOST_NODES", most_nodes)
    flow = await submit(runtime, Level([Job("number", "three")] * 5))
    async with volunteers([runtime], chance, pause_s=0.0):
        await Dashboard(flow.key).follow(runtime)
    behind_all = revision_at(runtime.store.clock.now() - 1)
    async with aclosing(watch(runtime, flow.key, behind_all)) as deltas:
        [told] = [delta async for delta in deltas]
    assert (told.reset, len(told.jobs)) == ((False, 5) if most_nodes > 3 else (True, 0))


async def test_nothing_is_told_while_nothing_changes(runtime: Runtime) -> None:
    flow = await submit(runtime, STANDSTILL)
    async with aclosing(watch(runtime, flow.key)) as deltas, asyncio.timeout(PATIENCE_S):
        # Its submission is told once more when it is old enough to be told for good.
        assert [len((await anext(deltas)).jobs) for _ in range(2)] == [0, 1]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deltas), watching.POLL_S + 1)


async def test_only_the_watchers_of_a_flow_that_changed_look_at_it(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random
) -> None:
    still, lively = await submit(runtime, STANDSTILL), None
    await control.pause(runtime, still.key)
    with elsewhere.part(FlowPoller).watching(still.id) as woken:
        lively = await submit(runtime, STANDSTILL)
        dashboard = Dashboard(lively.key)
        async with volunteers([runtime], chance, pause_s=0.2):
            await dashboard.follow(elsewhere)
        assert not woken.is_set()
        await control.cancel(runtime, still.key)
        async with asyncio.timeout(PATIENCE_S):
            await woken.wait()


async def test_the_poller_rests_while_nobody_watches(runtime: Runtime) -> None:
    flow: Flow = await submit(runtime, STANDSTILL)
    await Dashboard(flow.key).follow(runtime, most=1)
    [poller] = [task for task in asyncio.all_tasks() if task.get_name() == "flow poller"]
    async with asyncio.timeout(PATIENCE_S):
        await poller


async def test_what_can_not_be_watched_is_refused(runtime: Runtime) -> None:
    flow = await submit(runtime, STANDSTILL)
    with pytest.raises(NotFound):
        await anext(watch(runtime, "nothing"))
    future = revision_at(runtime.now() + 5_000)
    for cursor in ("x", "0" * 31, "0" * 33, "g" * 32, "\0", "f" * 32, future):
        with pytest.raises(BadInput) as refused:
            await anext(watch(runtime, flow.key, cursor))
        assert refused.value.field == "after"

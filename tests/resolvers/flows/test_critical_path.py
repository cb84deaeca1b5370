"""The chain of levels that keeps a flow from its end the longest, and for how long."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from resolvers.flows import control, critical_path, reading
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import reports
from resolvers.volunteers.picking import ClaimedTask
from storage import Level
from tests.resolvers.flows.hive import open_pool, report, submit
from tests.resolvers.flows.known_hosts import claim, new_host
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock


def _level(number: int, parent: int, *, ended: bool = False) -> Level:
    return Level(
        id=str(number),
        flow="flow",
        seq=f"{number:08d}",
        number=number,
        parent="" if parent < 0 else str(parent),
        position=0,
        depth=0,
        dependents=0,
        jobs=0,
        ended=ended,
    )


def _numbers(levels: Sequence[Level]) -> list[int]:
    return [level.number for level in levels]


def test_the_longest_chain_leads_up_to_the_root() -> None:
    levels = [_level(0, -1), _level(1, 0), _level(2, 1), _level(3, 0), _level(4, 3)]
    costs = {"0": 1.0, "1": 5.0, "2": 1.0, "3": 1.0, "4": 4.0}
    assert _numbers(critical_path.longest_chain(levels, costs)) == [2, 1, 0]
    assert _numbers(critical_path.longest_chain(levels, {**costs, "4": 6.0})) == [4, 3, 0]


def test_of_the_longest_chain_what_has_ended_is_left_out() -> None:
    levels = [_level(0, -1), _level(1, 0), _level(2, 1, ended=True)]
    assert _numbers(critical_path.longest_chain(levels, {"0": 1.0, "1": 1.0, "2": 0.0})) == [1, 0]
    assert critical_path.longest_chain([], {}) == []


@given(st.data())
def test_no_chain_of_levels_is_longer_than_the_longest(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    levels = [_level(at, data.draw(st.integers(0, at - 1)) if at else -1) for at in range(count)]
    costs = {level.id: data.draw(st.integers(0, 5)) for level in levels}
    by_id = {level.id: level for level in levels}

    def upwards(level: Level) -> list[Level]:
        return [level, *(upwards(by_id[level.parent]) if level.parent else [])]

    chain = critical_path.longest_chain(levels, costs)
    assert chain == upwards(chain[0])
    longest = max(sum(costs[each.id] for each in upwards(level)) for level in levels)
    assert sum(costs[each.id] for each in chain) == longest


async def test_the_critical_path_is_estimated_by_jobs_left_hosts_and_run_times(runtime: Runtime) -> None:
    await open_pool(runtime)
    short, long = Written([Job("number", "three")] * 2), Written([Job("object", "pair")] * 6)
    flow = await submit(runtime, Written([Job("bare")], [short, long]))
    path = await critical_path.of_flow(runtime, flow)
    assert (_numbers(path.levels), path.seconds) == ([2, 0], None)
    names = [await new_host(runtime) for _ in range(2)]
    [done] = await claim(runtime, names[0], jobs=frozenset({"object"}))
    await reports.submit(runtime, names[0], [reports.Report(done.task.id, done.task.lease, {"a": 1}, elapsed_ms=4_000)])
    await claim(runtime, names[1])
    path = await critical_path.of_flow(runtime, flow)
    # Five jobs left by two hosts in three rounds, and one for the root, of 4 s each.
    assert (_numbers(path.levels), path.seconds) == ([2, 0], 16.0)
    await control.cancel(runtime, flow.key)
    path = await critical_path.of_flow(runtime, await reading.get(runtime, flow.key))
    assert (path.levels, path.seconds) == ([], 0.0)


async def test_a_level_of_long_jobs_is_more_critical_than_one_of_many_short_ones(runtime: Runtime) -> None:
    await open_pool(runtime)
    many, long = Written([Job("number", "three")] * 6), Written([Job("object", "pair")] * 2)
    flow = await submit(runtime, Written([Job("bare")], [many, long]))
    host = await new_host(runtime)
    for key, elapsed_ms in (("number", 1), ("object", 600_000)):
        [done] = await claim(runtime, host, jobs=frozenset({key}))
        value = reports.Report(done.task.id, done.task.lease, {"a": 1}, elapsed_ms=elapsed_ms)
        await reports.submit(runtime, host, [value])
    await sweep(runtime)
    path = await critical_path.of_flow(runtime, flow)
    # One long job, and a root of which nothing is known: it takes as long as the others on average.
    assert (_numbers(path.levels), path.seconds) == ([2, 0], 600.0 + 300.0005)


async def test_replicas_and_the_runs_that_a_while_usually_takes_count_for_the_critical_path(
    runtime: Runtime, clock: Clock
) -> None:
    await open_pool(runtime)
    counting = Job("count", "only", repeat=below(4))
    voted = Job("number", "three", policy={"quorum": 3})
    flow = await submit(runtime, Written([voted], [Written([counting] * 2)]))
    host = await new_host(runtime)

    async def take_four_seconds(tasks: Sequence[ClaimedTask]) -> None:
        await reports.submit(runtime, host, [replace(report(host, each), elapsed_ms=4_000) for each in tasks])
        await sweep(runtime)

    first, second = await claim(runtime, host, 2)
    await take_four_seconds([first])
    path = await critical_path.of_flow(runtime, flow)
    # Of the jobs that repeat only the present runs are known; one host takes them, and casts three votes, in turn.
    assert (_numbers(path.levels), path.seconds) == ([1, 0], 8.0 + 12.0)
    while tasks := await claim(runtime, host):
        await take_four_seconds(tasks)
    path = await critical_path.of_flow(runtime, flow)
    # One made four runs; so will the other, of which none has ended.
    assert path.seconds == 16.0 + 12.0
    await take_four_seconds([second])
    path = await critical_path.of_flow(runtime, flow)
    assert path.seconds == 12.0 + 12.0

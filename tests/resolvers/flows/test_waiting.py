"""What dashboards are told of a flow that is not done yet: what it waits for, how far it is, and for how long."""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.flows import control, critical_path, ending, progress, reading, waiting
from resolvers.flows.waiting import Wait, WaitKind
from resolvers.owners import jobs
from resolvers.owners.variables import NewVariable, create_many
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import claims, hosts, leases, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.picking import ClaimedTask
from storage import Flow, FlowJob, FlowState, Level, NodeState, UnitState
from tests.resolvers.flows.hive import open_pool, report, submit
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written
from tests.resolvers.flows.written import NEVER, below
from tests.resolvers.playing import Clock, Died, leases_of, mortal

ONE = Written([Job("number", "three")])


async def new_host(runtime: Runtime) -> str:
    return (await hosts.identify(runtime, None)).key


async def claim(runtime: Runtime, host: str, first: int = 1, **wanted: frozenset[str]) -> list[ClaimedTask]:
    found = await claims.claim(runtime, ClaimRequest(host, first, **wanted))  # type: ignore[arg-type]
    # What hosts ask for is stored by the sweeper.
    await sweep(runtime)
    return found.tasks


async def report_all(runtime: Runtime, host: str, claimed: Sequence[ClaimedTask]) -> None:
    await reports.submit(runtime, host, [report(host, each) for each in claimed])


async def waits(runtime: Runtime, flow: Flow) -> tuple[list[Wait], list[list[Wait]]]:
    """What the flow waits for, and what each of its jobs does."""
    flow = await reading.get(runtime, flow.key)
    of_jobs = [await waiting.why_job(runtime, flow, each) for each in await jobs_of(runtime, flow)]
    return await waiting.why_flow(runtime, flow), of_jobs


async def jobs_of(runtime: Runtime, flow: Flow) -> list[FlowJob]:
    return list(await reading.jobs_page(runtime, flow, first=100))


async def test_without_volunteers_it_waits_for_one(runtime: Runtime, clock: Clock) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three")] * 3))
    nobody = Wait(WaitKind.NO_VOLUNTEER, "no volunteer has asked for work in the last two minutes", 1)
    assert await waits(runtime, flow) == ([Wait(nobody.kind, nobody.message, 3)], [[nobody]] * 3)
    await claim(runtime, await new_host(runtime), jobs=frozenset({"bare"}))
    assert (await waits(runtime, flow))[0][0].kind == WaitKind.NO_SUPPORTER
    clock.advance(waiting.RECENTLY_MS / 1000 + 1)
    assert (await waits(runtime, flow))[0] == [Wait(nobody.kind, nobody.message, 3)]


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"jobs": frozenset({"bare"})}, WaitKind.NO_SUPPORTER),
        ({"owners": frozenset({"you"})}, WaitKind.NO_SUPPORTER),
        ({"owners": frozenset({"me"}), "jobs": frozenset({"bare"})}, WaitKind.NO_SUPPORTER),
        ({"owners": frozenset({"me", "you"})}, WaitKind.QUEUE),
        ({"jobs": frozenset({"mine", "bare"})}, WaitKind.QUEUE),
        ({}, WaitKind.QUEUE),
    ],
)
async def test_it_says_whether_any_volunteer_supports_the_job_and_its_owner(
    runtime: Runtime, wanted: dict[str, frozenset[str]], kind: WaitKind
) -> None:
    await jobs.create(runtime, jobs.NewJob("mine", "return context", metadata={"owner": "me"}))
    host = await new_host(runtime)
    flow = await submit(runtime, Written([Job("mine")] * 2))
    # One that takes as much as it may leaves nothing to wait for: the flow comes when it has asked.
    await control.pause(runtime, flow.key)
    await claim(runtime, host, 1, **wanted)
    await control.resume(runtime, flow.key)
    [wait], of_jobs = await waits(runtime, flow)
    assert (wait.kind, wait.count) == (kind, 2)
    assert [[each.kind for each in found] for found in of_jobs] == [[kind]] * 2
    if kind is WaitKind.NO_SUPPORTER:
        assert wait.message == "no volunteer supports the job 'mine' or its owner 'me'"


async def test_it_counts_hosts_at_work_and_missing_votes(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three", policy={"quorum": 3})]))
    names = [await new_host(runtime) for _ in range(3)]
    claimed = [await claim(runtime, name) for name in names[:2]]
    told, [of_job] = await waits(runtime, flow)
    assert told == of_job
    assert [(each.kind, each.count) for each in told] == [(WaitKind.COMPUTING, 2), (WaitKind.QUEUE, 1)]
    assert told[0].message == "2 tasks being computed"
    await report_all(runtime, names[0], claimed[0])
    told, _ = await waits(runtime, flow)
    assert [(each.kind, each.count) for each in told] == [
        (WaitKind.COMPUTING, 1),
        (WaitKind.VOTES, 2),
        (WaitKind.QUEUE, 1),
    ]
    await report_all(runtime, names[1], claimed[1])
    told, _ = await waits(runtime, flow)
    assert [(each.kind, each.count) for each in told] == [(WaitKind.VOTES, 1), (WaitKind.QUEUE, 1)]
    await report_all(runtime, names[2], await claim(runtime, names[2]))
    assert await waits(runtime, flow) == ([], [[]])


async def test_a_job_that_failed_says_why_and_whom_it_waits_for(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("broken", policy={"max_errors": 2})]))
    first = await new_host(runtime)
    await report_all(runtime, first, await claim(runtime, first))
    told, _ = await waits(runtime, flow)
    assert told == [
        Wait(WaitKind.FAILURES, "1 of its results failed, 2 would be too many: the computation failed: broken", 1),
        Wait(WaitKind.NO_OTHER_VOLUNTEER, "every volunteer that asks for work has had it; another one is needed", 1),
    ]
    second = await new_host(runtime)
    assert [each.kind for each in (await waits(runtime, flow))[0]] == [WaitKind.FAILURES, WaitKind.QUEUE]
    await report_all(runtime, second, await claim(runtime, second))
    assert (await reading.get(runtime, flow.key)).reason == (
        "its job 'broken' failed: its failed results reached the policy's max_errors, 2; "
        "the last one: the computation failed: broken"
    )


async def test_what_it_counts_over_several_jobs_it_says_in_words_too(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three")] * 5))
    await claim(runtime, await new_host(runtime), 3)
    told, of_jobs = await waits(runtime, flow)
    assert told == [
        Wait(WaitKind.COMPUTING, "3 tasks being computed", 3),
        Wait(WaitKind.QUEUE, "in the queue for a volunteer", 2),
    ]
    assert sorted(found[0].message for found in of_jobs) == [
        *["1 task being computed"] * 3,
        *["in the queue for a volunteer"] * 2,
    ]


async def test_of_a_large_flow_everything_that_waits_is_counted(runtime: Runtime) -> None:
    await open_pool(runtime)
    await jobs.create(runtime, jobs.NewJob("mine", "return context", metadata={"owner": "me"}))
    root = Written([Job("number", "three")] * 200 + [Job("mine")] * 100 + [Job("bare")] * 3)
    flow = await submit(runtime, root)
    await claim(runtime, await new_host(runtime), 50, jobs=frozenset({"number"}))
    told, _ = await waits(runtime, flow)
    assert told == [
        Wait(WaitKind.COMPUTING, "50 tasks being computed", 50),
        Wait(WaitKind.QUEUE, "in the queue for a volunteer", 150),
        Wait(WaitKind.NO_SUPPORTER, "no volunteer supports the job 'mine' or its owner 'me'", 100),
        Wait(WaitKind.NO_SUPPORTER, "no volunteer supports the job 'bare'", 3),
    ]


async def test_votes_of_many_jobs_are_told_from_a_sample_that_says_so(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three", policy={"quorum": 2})] * 50))
    host = await new_host(runtime)
    await report_all(runtime, host, await claim(runtime, host, 50))
    told, _ = await waits(runtime, flow)
    assert {(each.kind, each.count, each.exact) for each in told} == {
        (WaitKind.VOTES, waiting.SAMPLE, False),
        (WaitKind.NO_OTHER_VOLUNTEER, waiting.SAMPLE, False),
    }


async def test_a_result_whose_process_ended_is_being_judged(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    host = await new_host(runtime)
    claimed = await claim(runtime, host)
    with mortal(monkeypatch) as end, suppress(Died):
        end.operations = 3
        await report_all(runtime, host, claimed)
    judging = [Wait(WaitKind.JUDGING, "1 result being judged", 1)]
    assert await waits(runtime, flow) == (judging, [judging])


async def test_votes_that_disagree_are_still_missing(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three", policy={"quorum": 2})]))
    for value in (1, 2):
        host = await new_host(runtime)
        [claimed] = await claim(runtime, host)
        await reports.submit(runtime, host, [reports.Report(claimed.task.id, claimed.task.lease, value)])
    told, _ = await waits(runtime, flow)
    assert [(each.kind, each.count) for each in told] == [(WaitKind.VOTES, 1), (WaitKind.NO_OTHER_VOLUNTEER, 1)]


async def test_a_job_waits_for_the_levels_below(runtime: Runtime) -> None:
    await open_pool(runtime)
    host = await new_host(runtime)
    flow = await submit(runtime, Written([Job("bare")], [Written([Job("grow")], [ONE]), Written([Job("count")])]))
    _, of_jobs = await waits(runtime, flow)
    assert of_jobs[0] == [Wait(WaitKind.LEVEL, "waiting for level 1, 3 to end", 2)]
    assert of_jobs[1] == [Wait(WaitKind.LEVEL, "waiting for level 2 to end", 1)]
    claimed = await claim(runtime, host, 10)
    await report_all(runtime, host, [each for each in claimed if each.job.key == "count"])
    _, of_jobs = await waits(runtime, flow)
    assert of_jobs[0] == [Wait(WaitKind.LEVEL, "waiting for level 1 to end", 1)]
    assert of_jobs[3] == []


async def test_a_flow_that_is_paused_or_being_cancelled_says_so(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    await control.pause(runtime, flow.key)
    paused = [Wait(WaitKind.PAUSED, "the flow is paused; resume it")]
    assert await waits(runtime, flow) == (paused, [paused])
    with mortal(monkeypatch) as end, suppress(Died):
        # After the second, which is the flow's own.
        end.operations = 2
        await ending.stop(runtime, flow, FlowState.CANCELLED, "a test")
    cancelling = [Wait(WaitKind.CANCELLING, "the flow is being cancelled")]
    assert await waits(runtime, flow) == (cancelling, [cancelling])


@pytest.mark.parametrize("survived", range(8, 30))
async def test_a_flow_that_does_not_run_yet_says_why_wherever_its_process_ended(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    await open_pool(runtime)
    with mortal(monkeypatch) as end, suppress(Died):
        end.operations = survived
        await submit(runtime, Written([Job("bare")], [ONE]), idempotency_key="k")
    [flow] = await reading.page(runtime, first=1)
    told, of_jobs = await waits(runtime, flow)
    known = {WaitKind.STARTING, WaitKind.LEVEL, WaitKind.NO_VOLUNTEER}
    assert {each.kind for each in told} <= known - {WaitKind.LEVEL}
    assert told
    assert all(found and {each.kind for each in found} <= known for found in of_jobs)


async def test_nothing_is_waited_for_by_what_has_ended(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Written([Job("number", "three"), Job("bare", condition=NEVER)]))
    _, [_, skipped] = await waits(runtime, flow)
    assert skipped == []
    await control.cancel(runtime, flow.key)
    assert await waits(runtime, flow) == ([], [[], []])


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


async def test_each_run_of_a_while_counts_for_the_rate(runtime: Runtime, clock: Clock) -> None:
    await open_pool(runtime)
    host = await new_host(runtime)
    flow = await submit(runtime, Written([Job("count", "only", repeat=below(100))]))
    for _ in range(10):
        clock.advance(1)
        await report_all(runtime, host, await claim(runtime, host))
    at = await progress.of_flow(runtime, flow)
    assert (at.total, at.throughput, at.eta_s) == (11, 1.0, 1.0)
    assert await progress.of_level(runtime, await reading.get_level(runtime, flow.key, "0")) == at


async def test_levels_have_a_progress_of_their_own_that_sums_to_the_flows(
    runtime: Runtime, chance: random.Random
) -> None:
    await open_pool(runtime)
    root = Written([Job("count", "only", repeat=below(3))], [Written([Job("number")] * 4), Written([Job("grow")] * 3)])
    flow = await submit(runtime, root)
    levels = [await reading.get_level(runtime, flow.key, str(number)) for number in range(3)]
    ended = 0
    while not (await reading.get(runtime, flow.key)).ended:
        host = await new_host(runtime)
        await report_all(runtime, host, await claim(runtime, host, chance.randint(1, 3)))
        whole = await progress.of_flow(runtime, flow)
        parts = [await progress.of_level(runtime, level) for level in levels]
        assert sum((Counter(part.by_state) for part in parts), Counter()) == Counter(whole.by_state)
        assert sum(whole.by_state.values()) == whole.total == sum(part.total for part in parts)
        assert whole.ended > ended
        ended = whole.ended
    # A leaf for each of the three runs of the `while`.
    assert [part.total for part in parts] == [3, 4, 3]
    assert [part.fraction for part in (whole, *parts)] == [1.0] * 4
    assert whole.eta_s == 0.0


async def test_the_time_left_is_told_from_the_rate_of_the_last_minute(runtime: Runtime, clock: Clock) -> None:
    await open_pool(runtime)
    host = await new_host(runtime)
    flow = await submit(runtime, Written([Job("number", "three")] * 20))
    at = await progress.of_flow(runtime, flow)
    assert (at.total, at.fraction, at.throughput, at.eta_s) == (20, 0.0, 0.0, None)
    clock.advance(5)
    await report_all(runtime, host, await claim(runtime, host, 10))
    at = await progress.of_flow(runtime, flow)
    assert (at.fraction, at.throughput, at.eta_s) == (0.5, 2.0, 5.0)
    clock.advance(200)
    assert (await progress.of_flow(runtime, flow)).eta_s is None


async def test_work_of_flows_goes_before_standing_variables(runtime: Runtime) -> None:
    await open_pool(runtime)
    host = await new_host(runtime)
    await create_many(runtime, "number", [NewVariable(value) for value in range(50)])
    await create_many(runtime, "object", [NewVariable(value) for value in range(50)])
    flow = await submit(runtime, Written([Job("bare")], [Written([Job("number", "three"), Job("other")] * 5)]))
    for _ in range(2):
        claimed = await claim(runtime, host, 5)
        assert [each.task.flow for each in claimed] == [flow.id] * 5
        await report_all(runtime, host, claimed)
    assert [bool(each.task.flow) for each in await claim(runtime, host, 3)] == [True, False, False]


async def test_a_flow_may_ask_for_a_larger_quorum_than_its_job(runtime: Runtime) -> None:
    await open_pool(runtime, quorum=1)
    flow = await submit(runtime, Written([Job("number", "three", policy={"quorum": 2}), Job("number", "three")]))
    for host, state in (("ann", FlowState.RUNNING), ("bob", FlowState.COMPLETED)):
        await report_all(runtime, host, await claim(runtime, host, 9))
        assert (await reading.get(runtime, flow.key)).state == state
    found = await jobs_of(runtime, flow)
    runs = [run for each in found for run in await reading.runs_page(runtime, each, first=9)]
    assert [len(await reading.run_results(runtime, run)) for run in runs] == [2, 1]


@pytest.mark.parametrize("own_s", [5, 3_000])
async def test_a_flow_may_give_its_hosts_another_time_than_its_job(runtime: Runtime, clock: Clock, own_s: int) -> None:
    await open_pool(runtime, delay_bound_seconds=60)
    await submit(runtime, Written([Job("number", "three", policy={"delay_bound_seconds": own_s})]))
    [claimed] = await claim(runtime, "ann")
    assert claimed.task.until == clock() + own_s * 1000
    clock.advance(own_s - 1)
    await sweep(runtime)
    assert not await claim(runtime, "bob")
    # A heartbeat is for the same time again.
    [extended] = await leases.extend(runtime, leases_of([claimed]))
    assert extended.task is not None
    assert extended.task.until == clock() + own_s * 1000
    clock.advance(own_s + 1)
    await sweep(runtime)
    assert len(await claim(runtime, "bob")) == 1


@pytest.mark.parametrize("keep_going", [False, True])
async def test_a_while_that_goes_on_past_max_iterations_fails_its_job(runtime: Runtime, keep_going: bool) -> None:
    await open_pool(runtime, max_iterations=50)
    root = Written([Job("count", "only", repeat=below(50), policy={"max_iterations": 4}), Job("number", "three")])
    flow = await submit(runtime, root, keep_going)
    handed_out = 0
    while claimed := await claim(runtime, "ann", 9):
        handed_out += sum(each.job.key == "count" for each in claimed)
        await report_all(runtime, "ann", claimed)
    assert handed_out == 4
    flow = await reading.get(runtime, flow.key)
    counting, plain = await jobs_of(runtime, flow)
    reason = "its `while` still held after 4 runs (max_iterations)"
    assert (counting.state, counting.reason, counting.iteration) == (NodeState.FAILED, reason, 3)
    assert plain.state == NodeState.COMPLETED
    assert flow.state == (FlowState.COMPLETED if keep_going else FlowState.FAILED)
    if keep_going:
        assert orjson.loads(flow.result).keys() == {"number"}
    else:
        assert flow.reason == f"its job 'count' failed: {reason}"
    runs = await reading.runs_page(runtime, counting, first=9)
    assert {run.state for run in runs} == {UnitState.DONE}

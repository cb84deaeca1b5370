"""What dashboards are told of a flow that is not done yet: what it waits for."""

from contextlib import suppress

import pytest

from resolvers.flows import control, ending, reading, waiting
from resolvers.flows.waiting import Wait, WaitKind
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.volunteers import reports
from storage import Flow, FlowState
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.known_hosts import claim, new_host, report_all
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written
from tests.resolvers.flows.written import NEVER
from tests.resolvers.playing import Clock, Died, mortal

ONE = Written([Job("number", "three")])


async def waits(runtime: Runtime, flow: Flow) -> tuple[list[Wait], list[list[Wait]]]:
    """What the flow waits for, and what each of its jobs does."""
    flow = await reading.get(runtime, flow.key)
    of_jobs = [await waiting.why_job(runtime, flow, each) for each in await jobs_of(runtime, flow)]
    return await waiting.why_flow(runtime, flow), of_jobs


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
    [flow], _ = await reading.page(runtime, first=1)
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

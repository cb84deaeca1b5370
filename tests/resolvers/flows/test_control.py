"""What an owner may do to a flow in each of its states, and what becomes of its work."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from resolvers.errors import Conflict, NotFound
from resolvers.flows import control, ending, progress, reading
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import leases
from sandbox import Sandbox
from storage import Flow, FlowState, NodeState, Store, TaskState, Verdict
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import claim, report_all, work
from tests.resolvers.flows.shapes import BROKEN, ONE, TWO_LEVELS
from tests.resolvers.playing import Clock, Died, leases_of, mortal, process

Act = Callable[[Runtime, str], Awaitable[Flow]]


async def _running(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await submit(runtime, ONE)


async def _paused(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await control.pause(runtime, (await submit(runtime, ONE)).key)


async def _completed(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await work(runtime, await submit(runtime, ONE))


async def _failed(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await work(runtime, await submit(runtime, BROKEN))


async def _cancelled(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await control.cancel(runtime, (await submit(runtime, ONE)).key)


def _left_ending(as_state: FlowState) -> Callable[[Runtime, pytest.MonkeyPatch], Awaitable[Flow]]:
    """A flow whose process ended while it was stopping it."""

    async def stopped(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Flow:
        flow = await submit(runtime, ONE)
        with mortal(monkeypatch) as end, suppress(Died):
            end.operations = 1
            await ending.stop(runtime, flow, as_state, "a test")
        return await reading.get(runtime, flow.key)

    return stopped


STATES = {
    "running": _running,
    "paused": _paused,
    "being cancelled": _left_ending(FlowState.CANCELLED),
    "failing": _left_ending(FlowState.FAILED),
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}
POSSIBLE: dict[tuple[str, Act], FlowState] = {
    ("running", control.cancel): FlowState.CANCELLED,
    ("running", control.pause): FlowState.PAUSED,
    ("running", control.resume): FlowState.RUNNING,
    ("paused", control.cancel): FlowState.CANCELLED,
    ("paused", control.pause): FlowState.PAUSED,
    ("paused", control.resume): FlowState.RUNNING,
    ("being cancelled", control.cancel): FlowState.CANCELLING,
    ("failed", control.retry): FlowState.RUNNING,
    ("cancelled", control.cancel): FlowState.CANCELLED,
    ("cancelled", control.retry): FlowState.RUNNING,
}
DONE: dict[Act, str] = {
    control.cancel: "cancelled",
    control.pause: "paused",
    control.resume: "resumed",
    control.retry: "retried",
}
"""Each act, and the word that a refusal has for it."""


@pytest.mark.parametrize("act", DONE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("state", STATES)
async def test_each_act_is_possible_in_some_states_and_a_conflict_in_the_others(
    state: str, act: Act, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    before = await STATES[state](runtime, monkeypatch)
    if (state, act) in POSSIBLE:
        # A client that repeats it gets the same answer.
        for _ in range(1 if act is control.retry else 2):
            assert (await act(runtime, before.key)).state == POSSIBLE[state, act]
    else:
        with pytest.raises(Conflict, match=f"can be {DONE[act]} while it is .*; this one is {before.state}") as refused:
            await act(runtime, before.key)
        assert refused.value.field == "flow"
        assert await reading.get(runtime, before.key) == before


@pytest.mark.parametrize("act", DONE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("key", ["", "nothing", "0" * 32, "a b\0"])
async def test_a_flow_that_is_not_there_is_not_found(runtime: Runtime, act: Act, key: str) -> None:
    with pytest.raises(NotFound):
        await act(runtime, key)


async def test_a_cancelled_flow_takes_no_late_result_and_nothing_of_it_is_revived(
    runtime: Runtime, clock: Clock
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    in_time, late = await claim(runtime, 2)
    await report_all(runtime, [in_time])
    await control.cancel(runtime, flow.key)
    [receipt] = await report_all(runtime, [late])
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE
    for _ in range(3):
        clock.advance(601)
        await sweep(runtime)
    ended = await reading.get(runtime, flow.key)
    assert (ended.state, ended.reason, ended.result) == (FlowState.CANCELLED, "its owner cancelled it", "")
    states = Counter(each.state for each in await jobs_of(runtime, flow))
    assert states == {NodeState.COMPLETED: 1, NodeState.CANCELLED: 2}
    for each in await jobs_of(runtime, flow):
        assert (each.state == NodeState.COMPLETED) is not each.reason.startswith("the flow was cancelled")
    assert not await claim(runtime)


async def test_what_is_given_back_of_a_flow_that_has_ended_is_not_handed_out_again(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    claimed = await claim(runtime)
    await control.cancel(runtime, flow.key)
    assert (await leases.release(runtime, leases_of(claimed))).count == len(claimed)
    assert await runtime.store.tasks.count_by("status", {"flow": flow.id}) == {TaskState.CANCELLED: len(claimed)}


async def test_what_an_owner_does_at_one_process_holds_at_another(
    store: Store, sandbox: Sandbox, clock: Clock, runtime: Runtime
) -> None:
    await open_pool(runtime)
    other = await process(store.database, sandbox, clock)
    flow = await submit(runtime, TWO_LEVELS)
    assert len(await claim(other, 1)) == 1
    await control.pause(runtime, flow.key)
    assert not await claim(other)
    await control.resume(other, flow.key)
    assert len(await claim(runtime, host="bob")) == 1
    await control.cancel(other, flow.key)
    assert not await claim(runtime)


async def test_what_was_cancelled_was_not_computed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three")] * 3))
    await control.cancel(runtime, flow.key)
    flow = await control.retry(runtime, flow.key)
    at = await progress.of_flow(runtime, flow)
    assert (at.throughput, at.eta_s) == (0.0, None)


def test_of_a_flow_without_jobs_so_far_nothing_is_done() -> None:
    assert progress.Progress(0, {}, 0.0, None).fraction == 0.0

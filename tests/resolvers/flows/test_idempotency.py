"""The same submission is one flow, whatever became of the first."""

import random
from contextlib import suppress

import pytest

from resolvers.errors import IdempotencyMismatch
from resolvers.flows import reading
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, OnFailure, submit
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from storage import FlowState, NodeState
from tests.resolvers.flows.hive import Volunteers, open_pool
from tests.resolvers.playing import Clock, Died, mortal

GOOD = NewFlowJob("number")


async def test_the_same_flow_under_one_idempotency_key_is_one_flow(runtime: Runtime) -> None:
    await open_pool(runtime)
    new = NewFlow(NewLevel([GOOD], [NewLevel([GOOD])]), name="once", owner="me", idempotency_key="k")
    first = await submit(runtime, new)
    # Whatever has become of its jobs.
    await jobs.update(runtime, "number", policy={"quorum": 3})
    await jobs.archive(runtime, "number")
    again = await submit(runtime, new)
    assert again.id == first.id
    assert await runtime.store.flow_jobs.count({}) == 2


@pytest.mark.parametrize(
    "other",
    [
        NewFlow(NewLevel([GOOD, GOOD]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k", name="another"),
        NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k", on_failure=OnFailure.CONTINUE),
        NewFlow(NewLevel([NewFlowJob("number", policy={"quorum": 2})]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([GOOD], [NewLevel([GOOD])]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([NewFlowJob("number", repeat="() => false")]), owner="me", idempotency_key="k"),
    ],
)
async def test_another_flow_under_a_known_idempotency_key_is_refused(runtime: Runtime, other: NewFlow) -> None:
    await open_pool(runtime)
    await submit(runtime, NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k"))
    with pytest.raises(IdempotencyMismatch) as refused:
        await submit(runtime, other)
    assert refused.value.field == "idempotencyKey"
    assert await runtime.store.flows.count({}) == 1


async def test_owners_have_idempotency_keys_of_their_own(runtime: Runtime) -> None:
    await open_pool(runtime)
    mine, yours = [
        await submit(runtime, NewFlow(NewLevel([GOOD]), owner=owner, idempotency_key="k")) for owner in ("me", "you")
    ]
    assert mine.id != yours.id


@pytest.mark.parametrize("survived", range(1, 11))
async def test_the_same_submission_after_it_was_cancelled_for_being_cut_short_has_the_flow_go_on(
    runtime: Runtime, clock: Clock, chance: random.Random, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    await open_pool(runtime)
    new = NewFlow(NewLevel([NewFlowJob("bare")], [NewLevel([GOOD] * 2), NewLevel([GOOD])]), idempotency_key="k")
    for operations in (survived, survived + 3):
        with mortal(monkeypatch) as ending, suppress(Died):
            ending.operations = operations
            await submit(runtime, new)
        clock.advance(601)
        await sweep(runtime)
    flow = await Volunteers(chance).finish(runtime, clock, await submit(runtime, new))
    assert flow.state == FlowState.COMPLETED
    states = [(each.state, each.generation) for each in await reading.jobs_page(runtime, flow, first=9)]
    assert states == [(NodeState.COMPLETED, flow.generation)] * 4
    assert await submit(runtime, new) == flow

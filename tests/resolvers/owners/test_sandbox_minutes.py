"""How much of the sandbox an account's code may use in a minute, and what becomes of what has to wait for it."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.access.principals import Principal, Scope
from resolvers.errors import QuotaExceeded, Unavailable
from resolvers.flows import submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.limits import Limits
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sandbox_minutes import SandboxMinutes
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import hosts, unleased_results
from storage import Flow, FlowState, Host, Store, TaskState, UnitState, Verdict
from tests.resolvers.playing import DOUBLE, Clock, Volunteer, sole_state

ADA = Principal("ada", frozenset({Scope.SUBMIT}))
BOB = Principal("bob", frozenset({Scope.SUBMIT}))
BURNS = """(variable, result, context) => {
  if (context.phase === "variable" && variable > 0) return true;
  for (let at = 0; at < 3e6; at++);
  return true;
}"""
"""Takes a tenth of a second for each result, and for each negative variable."""
TAKEOVER_S = 31


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    runtime.limits = Limits(account_sandbox_seconds=1)
    return runtime


async def new_job(runtime: Runtime, name: str, principal: Principal, **said: Any) -> None:
    said.setdefault("validate_result", BURNS)
    await jobs.create(runtime, jobs.NewJob(name, DOUBLE, **said), principal)


async def add(runtime: Runtime, job: str, *values: int) -> None:
    await variables.create_many(runtime, job, [variables.NewVariable(value) for value in values])


def use_up(runtime: Runtime, account: str) -> None:
    runtime.part(SandboxMinutes).of(account).take(1.0)


async def test_results_are_validated_when_there_is_time_again(runtime: Runtime, store: Store, clock: Clock) -> None:
    await new_job(runtime, "ada's", ADA)
    await new_job(runtime, "bob's", BOB)
    await add(runtime, "ada-s", *range(1, 41))
    await add(runtime, "bob-s", 1, 2)
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    receipts = await volunteer.submit(runtime, await volunteer.claim(runtime, 40, jobs=["ada-s"]))
    verdicts = [receipt.result.verdict for receipt in receipts if receipt.result]
    assert len(verdicts) == 40
    assert 1 <= verdicts.count(Verdict.CANONICAL) < 40
    assert set(verdicts) == {Verdict.CANONICAL, Verdict.PENDING}

    receipts = await volunteer.submit(runtime, await volunteer.claim(runtime, 2, jobs=["bob-s"]))
    assert [receipt.result.verdict for receipt in receipts if receipt.result] == [Verdict.CANONICAL] * 2

    for _ in range(20):
        clock.advance(TAKEOVER_S)
        await sweep(runtime)
    assert await variables.counts(runtime, "ada-s") == {"done": 40}
    host = await store.hosts.get(Host.id_of(volunteer.host))
    assert host is not None
    assert (host.valid, host.invalid, host.failed) == (42, 0, 0)


async def test_a_sweep_carries_on_others_all_the_same(runtime: Runtime, store: Store, clock: Clock) -> None:
    for name, principal in (("ada's", ADA), ("bob's", BOB)):
        await new_job(runtime, name, principal)
        await add(runtime, f"{principal.account}-s", 1)
    use_up(runtime, "ada")
    use_up(runtime, "bob")
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    await volunteer.submit(runtime, await volunteer.claim(runtime, 2))
    clock.advance(TAKEOVER_S)
    await sweep(runtime)
    clock.advance(TAKEOVER_S)
    use_up(runtime, "ada")
    await sweep(runtime)
    assert await variables.counts(runtime, "ada-s") == {"open": 1}
    assert await variables.counts(runtime, "bob-s") == {"done": 1}
    assert await store.tasks.count({"status": str(TaskState.REPORTING)}) == 1


async def test_who_waits_for_it_is_told_when_to_come_again(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime, "ada's", ADA)
    with pytest.raises(QuotaExceeded, match="used up 1 s of the sandbox in a minute; try again in 61 s") as refused:
        await add(runtime, "ada-s", *[-1] * 40)
    assert (refused.value.field, refused.value.retry_after_s) == ("variables[0].value", 61) or refused.value.others
    assert await variables.counts(runtime, "ada-s") == {}
    with pytest.raises(QuotaExceeded, match="execute_function was not called"):
        await new_job(runtime, "another", ADA)
    await new_job(runtime, "bob's", BOB)
    await add(runtime, "bob-s", -1)
    clock.advance(refused.value.retry_after_s)
    await add(runtime, "ada-s", -1)


async def test_results_are_compared_when_there_is_time_again(runtime: Runtime, store: Store, clock: Clock) -> None:
    said = {"compare_results": "(a, b) => a === b", "policy": {"quorum": 2}}
    await new_job(runtime, "double", ADA, validate_result="", **said)
    await add(runtime, "double", 1)
    use_up(runtime, "ada")
    for _ in range(2):
        volunteer = Volunteer((await hosts.identify(runtime, None)).key)
        await volunteer.submit(runtime, await volunteer.claim(runtime))
    assert await sole_state(store) == UnitState.OPEN
    for _ in range(2):
        clock.advance(TAKEOVER_S)
        await sweep(runtime)
    assert await sole_state(store) == UnitState.DONE


async def _state(store: Store, flow: Flow) -> str:
    stored = await store.flows.get(flow.id)
    assert stored is not None
    return stored.state


async def test_a_flow_goes_on_when_there_is_time_again(runtime: Runtime, store: Store, clock: Clock) -> None:
    await new_job(runtime, "double", ADA, validate_result="")
    await add(runtime, "double", 1)
    level = NewLevel([NewFlowJob("double", repeat="() => false")])
    flow = await submission.submit(runtime, submission.NewFlow(level), principal=ADA)
    use_up(runtime, "ada")
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    await volunteer.submit(runtime, await volunteer.claim(runtime))
    assert await _state(store, flow) == FlowState.RUNNING
    for _ in range(2):
        clock.advance(TAKEOVER_S)
        await sweep(runtime)
    assert await _state(store, flow) == FlowState.COMPLETED


async def test_a_result_that_nobody_leased_is_asked_for_again(runtime: Runtime) -> None:
    await new_job(runtime, "ada's", ADA)
    await variables.create_many(runtime, "ada-s", [variables.NewVariable(1, "v")])
    use_up(runtime, "ada")
    host = await hosts.anonymous(runtime, "192.0.2.1")
    with pytest.raises(Unavailable) as refused:
        await unleased_results.submit(runtime, "ada-s", "v", host, value=2)
    assert 1 <= refused.value.retry_after_s <= 61


async def test_what_belongs_to_no_account_is_not_counted(runtime: Runtime) -> None:
    await jobs.create(runtime, jobs.NewJob("open", DOUBLE, validate_result=BURNS))
    await add(runtime, "open", *[-1] * 20)
    assert runtime.part(SandboxMinutes).of("").used_s == 0

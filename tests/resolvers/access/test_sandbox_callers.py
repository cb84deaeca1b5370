"""Turns and circuit breakers are counted by what was authenticated, not by a name that anybody may write (A11)."""

from collections.abc import AsyncIterator

import pytest_asyncio

from resolvers.flows import conditions
from resolvers.flows.conditions import Question
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, submit
from resolvers.runtime import Runtime
from sandbox import Limits, Sandbox
from storage import Store, Verdict
from tests.resolvers.playing import Clock, Volunteer, new_job, post, process

KILLING = "(v, r, c) => { if (c.phase === 'variable') return true; for (;;); }"
CHECKING = "(v, r, c) => c.phase === 'variable' || r === v * 2"
QUESTION = Question("() => true", "1", "{}")
DEATHS = 5


@pytest_asyncio.fixture(loop_scope="session")
async def runtime(store: Store, clock: Clock) -> AsyncIterator[Runtime]:
    """A process whose sandbox gives up on a caller as a server's does."""
    async with Sandbox(workers=1, spares=1, deaths=DEATHS, limits=Limits(timeout_ms=50)) as sandbox:
        running = await process(store.database, sandbox, clock)
        yield running
        await running.close()


async def test_a_job_that_names_another_owner_does_not_switch_that_owners_validators_off(runtime: Runtime) -> None:
    victim, attacker = {"owner": "victim"}, {"owner": "victim", "note": "not really"}
    await new_job(runtime, "honest", validate_result=CHECKING, metadata=victim)
    await new_job(runtime, "attack", validate_result=KILLING, metadata=attacker)
    await post(runtime, "honest", [1])
    await post(runtime, "attack", range(DEATHS + 1))
    flow = await submit(runtime, NewFlow(NewLevel([NewFlowJob("honest")]), owner="victim"))
    volunteer = Volunteer("first")
    receipts = await volunteer.submit(runtime, await volunteer.claim(runtime, DEATHS + 1, jobs=frozenset({"attack"})))
    verdicts = [each.result.verdict for each in receipts if each.result]
    assert verdicts == DEATHS * [Verdict.INVALID] + [Verdict.PENDING], "the attack is not stopped"
    [receipt] = await volunteer.submit(runtime, await volunteer.claim(runtime, 1, jobs=frozenset({"honest"})))
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.CANONICAL
    [answer] = await conditions.ask(runtime, flow, [QUESTION])
    assert answer.holds


async def test_a_flow_whose_conditions_kill_does_not_stop_a_job_of_the_same_name(runtime: Runtime) -> None:
    await new_job(runtime, "honest", validate_result=CHECKING, metadata={"owner": "victim"})
    await post(runtime, "honest", [1])
    attack = await submit(runtime, NewFlow(NewLevel([NewFlowJob("honest")]), owner="victim"))
    await conditions.ask(runtime, attack, [Question("() => { for (;;); }", str(n), "{}") for n in range(DEATHS)])
    [refused] = await conditions.ask(runtime, attack, [QUESTION])
    assert refused.unanswered, "the attack did not kill enough"
    volunteer = Volunteer("first")
    [receipt] = await volunteer.submit(runtime, await volunteer.claim(runtime, 1))
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.CANONICAL

"""Hosts whose word an adaptive job takes."""

from resolvers.runtime import Runtime
from storage import Host, Result, Store, UnitState, Verdict
from tests.resolvers.playing import Volunteer, new_job, post

FIRST, SECOND, THIRD = Volunteer("first"), Volunteer("second"), Volunteer("third")


async def _work(runtime: Runtime, volunteer: Volunteer) -> Result:
    [receipt] = await volunteer.submit(runtime, await volunteer.claim(runtime))
    assert receipt.result is not None, receipt.problem
    return receipt.result


async def _earn_trust(runtime: Runtime, store: Store, host: str, streak: int = 10) -> None:
    await store.hosts.insert(Host(id=Host.id_of(host), seq=host, created_at=1, seen_at=1, claimed_at=1, streak=streak))


async def test_an_adaptive_job_takes_a_trusted_hosts_word_and_spot_checks_some(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 2, "adaptive": True})
    await _earn_trust(runtime, store, "first")
    made = await post(runtime, "double", range(60))
    while await FIRST.work(runtime, 20):
        pass
    checked = await store.variables.count({"state": UnitState.OPEN})
    assert 1 <= checked <= 20
    assert await store.variables.count({"state": UnitState.DONE}) == len(made) - checked
    while await SECOND.work(runtime, 20):
        pass
    assert await store.variables.count({"state": UnitState.DONE}) == len(made)


async def test_an_adaptive_job_asks_for_a_second_vote_of_a_host_it_does_not_trust(
    runtime: Runtime, store: Store
) -> None:
    await new_job(runtime, policy={"quorum": 2, "adaptive": True})
    await _earn_trust(runtime, store, "first", streak=9)
    await post(runtime, "double", [1])
    assert (await _work(runtime, FIRST)).verdict == Verdict.PENDING
    assert (await _work(runtime, SECOND)).verdict == Verdict.VALID

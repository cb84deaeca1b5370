"""Deleting hosts: their leases are given up, and their results are no host's."""

from __future__ import annotations

import pytest

from resolvers.access.principals import ANONYMOUS, EVERYBODY
from resolvers.deleting import hosts as deleting
from resolvers.errors import Forbidden, NotFound, Unauthenticated
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, hosts
from resolvers.volunteers.claims import ClaimRequest
from storage import Store, Verdict
from tests.resolvers.deleting.ledger import removed
from tests.resolvers.playing import Clock, Volunteer, leases_of, new_job, post


async def test_what_a_deleted_host_holds_is_ready_for_others_at_once(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(2))
    host = await hosts.identify(runtime, None)
    held = await Volunteer(host.key).claim(runtime, 2)
    await deleting.delete(runtime, ANONYMOUS, host.key, host.token)
    again = await Volunteer("bob").claim(runtime, 2)
    assert {each.task.id for each in again} == {each.task.id for each in held}
    receipts = await Volunteer(host.key).submit(runtime, held)
    assert [each.problem.code for each in receipts if each.problem] == ["LEASE_LOST"] * 2
    assert leases_of(again) != leases_of(held)
    with pytest.raises(Unauthenticated) as refused:
        await claims.claim_as(runtime, host.token, "", ClaimRequest("", 1))
    assert refused.value.field == "host"
    with pytest.raises(NotFound):
        await hosts.get(runtime, host.key)
    assert await hosts.page(runtime, first=10) == []


async def test_only_an_operator_deletes_a_host_without_its_token(runtime: Runtime) -> None:
    mine, other = [await hosts.identify(runtime, None) for _ in range(2)]
    with pytest.raises(Unauthenticated):
        await deleting.delete(runtime, ANONYMOUS, mine.key)
    with pytest.raises(Unauthenticated):
        await deleting.delete(runtime, ANONYMOUS, mine.key, f"{mine.key}.forged")
    with pytest.raises(Forbidden):
        await deleting.delete(runtime, ANONYMOUS, mine.key, other.token)
    await deleting.delete(runtime, EVERYBODY, mine.key)
    assert [each.key for each in await hosts.page(runtime, first=10)] == [other.key]


async def test_the_votes_of_deleted_hosts_count_as_those_of_several_hosts(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    await new_job(runtime, policy={"quorum": 3})
    [variable] = await post(runtime, "double", [21])
    for _ in range(2):
        host = await hosts.identify(runtime, None)
        assert await Volunteer(host.key).work(runtime) == 1
        await deleting.delete(runtime, EVERYBODY, host.key)
        await removed(runtime, clock)
    assert await Volunteer("last").work(runtime) == 1
    results = await store.results.page({"unit": variable.id}, first=10)
    assert sorted(each.host for each in results) == ["", "", "last"]
    assert {each.verdict for each in results} == {Verdict.CANONICAL, Verdict.VALID}

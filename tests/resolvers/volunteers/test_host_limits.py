"""How much one host may ask for and hold."""

from __future__ import annotations

import pytest

from resolvers.errors import RateLimited
from resolvers.limits import Limits
from resolvers.rates import Rates
from resolvers.runtime import Runtime
from resolvers.volunteers import hosts
from resolvers.volunteers.held_tasks import HeldTasks
from tests.resolvers.playing import Clock, Volunteer, new_job, post


async def test_a_host_holds_so_many_tasks_at_once(runtime: Runtime) -> None:
    runtime.limits = Limits(host_leases=5)
    await new_job(runtime)
    await post(runtime, "double", range(20))
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    another = Volunteer((await hosts.identify(runtime, None)).key)
    first = await volunteer.claim(runtime, 3)
    assert [len(first), len(await volunteer.claim(runtime, 3))] == [3, 2]
    with pytest.raises(RateLimited, match="this host holds 5 tasks, and at most 5") as refused:
        await volunteer.claim(runtime, 1)
    assert refused.value.retry_after_s == 10
    assert len(await another.claim(runtime, 5)) == 5
    await volunteer.submit(runtime, first)
    assert len(await volunteer.claim(runtime, 9)) == 3


async def test_what_a_host_holds_is_looked_up_only_when_it_would_be_too_much(runtime: Runtime) -> None:
    runtime.limits = Limits(host_leases=100)
    held = runtime.part(HeldTasks)
    with runtime.store.database.count() as counted:
        for number in range(20):
            assert await held.room("host", 5) == 5
            held.note("host", [f"var:work:{number}:{replica}" for replica in range(5)])
    assert counted.total() == 0
    with runtime.store.database.count() as counted:
        assert await held.room("host", 5) == 5  # No host holds tasks that are not there.
    assert counted.total() == 1


async def test_a_host_asks_so_often(runtime: Runtime, clock: Clock) -> None:
    runtime.limits = Limits(host_requests=1)
    runtime.rates = Rates(clock.seconds)
    host, another = await hosts.identify(runtime, None), await hosts.identify(runtime, None)
    for _ in range(10):
        hosts.known(runtime, host.token)
    with pytest.raises(RateLimited, match="too many requests of this host: at most 10 in 10 s") as refused:
        hosts.known(runtime, host.token)
    hosts.known(runtime, another.token)
    clock.advance(refused.value.retry_after_s)
    hosts.known(runtime, host.token)

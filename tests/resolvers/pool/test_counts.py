"""What the pool tells of itself: results by minute, handouts by scheduler, verdicts, hosts."""

import asyncio

from resolvers.pool.counts import PoolStatusCache
from resolvers.pool.history import MINUTES, ResultHistory
from resolvers.runtime import Runtime
from resolvers.units import results
from resolvers.volunteers import claims, hosts
from resolvers.volunteers.claim_counts import ClaimCounts
from tests.resolvers.playing import Clock, Volunteer, new_job, post


async def _newcomer(runtime: Runtime) -> Volunteer:
    return Volunteer((await hosts.identify(runtime, None)).key)


async def test_results_are_told_by_minute_and_counted_once(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(5))
    worker = await _newcomer(runtime)
    await worker.work(runtime, 3)
    clock.advance(60)
    await worker.work(runtime, 2)
    clock.advance(60)
    assert (await runtime.part(ResultHistory).by_minute())[-3:] == [0, 3, 2]
    with runtime.store.database.count() as operations:
        assert len(await runtime.part(ResultHistory).by_minute()) == MINUTES
    assert operations.total() == 1


async def test_many_who_ask_for_the_counts_at_once_have_them_counted_once(runtime: Runtime) -> None:
    with runtime.store.database.count() as one:
        await PoolStatusCache(runtime).status()
    cache = PoolStatusCache(runtime)
    with runtime.store.database.count() as many:
        await asyncio.gather(*(cache.status() for _ in range(20)))
    assert many == one


def test_claims_are_forgotten_after_a_minute(runtime: Runtime, clock: Clock) -> None:
    counts = runtime.part(ClaimCounts)
    counts.note("random", 3)
    clock.advance(29)
    counts.note("oldest", 1)
    counts.note("random", 2)
    clock.advance(30)
    assert counts.last_minute() == {"random": 5, "oldest": 1}
    clock.advance(2)
    assert counts.last_minute() == {"random": 2, "oldest": 1}
    clock.advance(140)
    assert counts.last_minute() == {}


async def test_claims_count_for_the_scheduler_that_ordered_them(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(4))
    host = await hosts.identify(runtime, None)
    await claims.claim(runtime, claims.ClaimRequest(host.key, first=3, scheduler="oldest"))
    await claims.claim(runtime, claims.ClaimRequest(host.key, first=3))
    assert runtime.part(ClaimCounts).last_minute() == {"oldest": 3, "random": 1}


async def test_hosts_and_results_are_listed_the_newest_first(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(3))
    first, second = await _newcomer(runtime), await _newcomer(runtime)
    newest, oldest = await hosts.page(runtime, first=5)
    assert [newest.key, oldest.key] == [second.host, first.host]
    assert await hosts.page(runtime, first=5, after=newest.seq) == [oldest]
    await first.work(runtime, 3)
    found = await results.of_job(runtime, "double", first=2)
    assert found[0].seq > found[1].seq
    [last] = await results.of_job(runtime, "double", first=2, after=found[1].seq)
    assert last.seq < found[1].seq
    assert (await runtime.part(PoolStatusCache).status()).verdicts_last_hour == {"canonical": 3}

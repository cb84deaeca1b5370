"""How far a flow and each of its levels are, and when the flow will have ended."""

import random
from collections import Counter

from resolvers.flows import progress, reading
from resolvers.runtime import Runtime
from tests.resolvers.flows.hive import open_pool, submit
from tests.resolvers.flows.known_hosts import claim, new_host, report_all
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock


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

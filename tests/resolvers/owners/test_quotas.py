"""What an account may have in the pool."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from resolvers.access.principals import Principal, Scope
from resolvers.errors import QuotaExceeded
from resolvers.flows import control, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.limits import Limits
from resolvers.owners import jobs, quotas, variables
from resolvers.runtime import Runtime
from resolvers.volunteers import hosts, unleased_results
from sandbox import Sandbox
from tests.resolvers.playing import DOUBLE, Clock, Volunteer, process

ADA = Principal("ada", frozenset({Scope.SUBMIT}))
BOB = Principal("bob", frozenset({Scope.SUBMIT}))
STALE_S = 60


async def new_job(runtime: Runtime, name: str = "work", principal: Principal = ADA) -> None:
    await jobs.create(runtime, jobs.NewJob(name, DOUBLE), principal)


async def add(runtime: Runtime, *values: Any, job: str = "work") -> None:
    await variables.create_many(runtime, job, [variables.NewVariable(value) for value in values])


async def submit(runtime: Runtime, number: int = 1, principal: Principal = ADA) -> str:
    level = NewLevel([NewFlowJob("work")] * number)
    return (await submission.submit(runtime, submission.NewFlow(level), principal=principal)).key


async def test_open_variables_are_counted_until_they_are_done(runtime: Runtime, clock: Clock) -> None:
    runtime.limits = Limits(account_variables=3)
    await new_job(runtime)
    await add(runtime, 1, 2)
    with pytest.raises(QuotaExceeded, match="'ada' has 2 of 3 unfinished variables, and this takes 2 more"):
        await add(runtime, 3, 4)
    assert await variables.counts(runtime, "work") == {"open": 2}
    await add(runtime, 3)
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    await volunteer.submit(runtime, await volunteer.claim(runtime, 3))
    with pytest.raises(QuotaExceeded):
        await add(runtime, 4)
    clock.advance(STALE_S)
    await add(runtime, 4, 5, 6)


async def test_requests_at_the_same_time_do_not_take_more_together(runtime: Runtime) -> None:
    runtime.limits = Limits(account_variables=5)
    await new_job(runtime)
    outcomes = await asyncio.gather(*(add(runtime, value) for value in range(12)), return_exceptions=True)
    assert sum(isinstance(each, QuotaExceeded) for each in outcomes) == 7
    assert await variables.counts(runtime, "work") == {"open": 5}


async def test_flows_and_their_jobs_are_counted_until_they_end(runtime: Runtime, clock: Clock) -> None:
    runtime.limits = Limits(account_flows=2, account_variables=5)
    await new_job(runtime)
    first = await submit(runtime)
    with pytest.raises(QuotaExceeded, match="unfinished variables"):
        await submit(runtime, 5)
    await submit(runtime)
    with pytest.raises(QuotaExceeded, match="2 of 2 unfinished flows"):
        await submit(runtime)
    await submit(runtime, principal=BOB)
    await control.cancel(runtime, first)
    clock.advance(STALE_S)
    await submit(runtime)


async def test_bytes_are_those_of_sources_variables_and_results(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await add(runtime, 7, "é" * 100)
    empty = await quotas.count(runtime, "bob")
    usage = await quotas.count(runtime, "ada")
    assert (empty, usage.bytes) == (quotas.Usage(), len(DOUBLE) + len("{}") + 1 + 202)
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    await volunteer.submit(runtime, await volunteer.claim(runtime, 2))
    more = (await quotas.count(runtime, "ada")).bytes - usage.bytes
    assert more > 0
    runtime.limits = Limits(account_bytes=usage.bytes + more + 60)
    clock.advance(STALE_S)
    for refused in (add(runtime, "x" * 101), new_job(runtime, "more" * 30), submit(runtime)):
        with pytest.raises(QuotaExceeded, match="bytes, and this takes"):
            await refused
    await add(runtime, "x" * 50)
    await new_job(runtime, "more", BOB)


async def test_results_that_nobody_asked_for_are_refused_and_leased_ones_taken(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await variables.create_many(runtime, "work", [variables.NewVariable(1, "v"), variables.NewVariable(2, "w")])
    runtime.limits = Limits(account_bytes=(await quotas.count(runtime, "ada")).bytes)
    clock.advance(STALE_S)
    host = await hosts.anonymous(runtime, "192.0.2.1")
    with pytest.raises(QuotaExceeded):
        await unleased_results.submit(runtime, "work", "v", host, value=2)
    volunteer = Volunteer((await hosts.identify(runtime, None)).key)
    await volunteer.submit(runtime, await volunteer.claim(runtime, 2))
    assert await variables.counts(runtime, "work") == {"done": 2}


async def test_what_failed_or_was_cut_short_takes_nothing(runtime: Runtime, sandbox: Sandbox, clock: Clock) -> None:
    runtime.limits = Limits(account_variables=2)
    await jobs.create(runtime, jobs.NewJob("work", DOUBLE, validate_result="v => v > 0"), ADA)
    for _ in range(2):
        with pytest.raises(Exception, match="turned this variable down"):
            await add(runtime, -1)
    clock.advance(STALE_S)
    await add(runtime, 1)
    another = await process(runtime.store.database, sandbox, clock)
    another.limits = runtime.limits
    await add(another, 2)
    with pytest.raises(QuotaExceeded):
        await add(another, 3)
    await another.close()


async def test_what_belongs_to_no_account_is_not_counted(runtime: Runtime) -> None:
    runtime.limits = Limits(account_bytes=1, account_variables=1, account_flows=1)
    await jobs.create(runtime, jobs.NewJob("work", DOUBLE))
    await add(runtime, 1, 2, 3)

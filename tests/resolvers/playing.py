"""A pool without a server: processes over one store under one clock, volunteers, and the end of a process."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.leases import HeldTask
from resolvers.volunteers.picking import ClaimedTask
from sandbox import Sandbox
from sandbox.breaker import CircuitBreaker
from storage import Job, Result, Store, Task, TaskState, UnitState, Variable, Verdict
from storage.accounts import Accounts
from storage.engines import Collection, Database
from storage.jobs import Jobs
from storage.tokens import Tokens
from tests.runtimes import start_runtime

DOUBLE = "function (variable, context) { context.result = variable * 2; return context; }"
LEASE_S = 600
FINAL = {TaskState.REPORTED, TaskState.EXPIRED, TaskState.CANCELLED}


@dataclass(slots=True)
class Clock:
    """The time of all processes of a test, which stands still until it is told otherwise."""

    ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


async def process(database: Database, sandbox: Sandbox, clock: Clock, seed: int = 0) -> Runtime:
    """What one server process has: caches of its own over the common database."""
    store = Store(database)
    store.jobs = Jobs(database, clock.seconds)
    store.tokens = Tokens(database, clock.seconds)
    store.accounts = Accounts(database, clock.seconds)
    runtime = await start_runtime(store, sandbox, clock)
    runtime.seconds = clock.seconds
    runtime.random = random.Random(seed)
    return runtime


async def new_job(runtime: Runtime, name: str = "double", **said: Any) -> Job:
    said.setdefault("execute_function", DOUBLE)
    return await jobs.create(runtime, jobs.NewJob(name=name, **said))


async def post(runtime: Runtime, job: str, values: Sequence[Any], **said: Any) -> list[Variable]:
    return await variables.create_many(runtime, job, [variables.NewVariable(value) for value in values], **said)


def opened_for(caller: str, clock: Clock) -> CircuitBreaker:
    """A sandbox's breaker for which this caller's calls have killed too many workers, for one and a half leases."""
    breaker = CircuitBreaker(lambda: clock.ms / 1000, deaths=1, window_s=1, pause_s=1.5 * LEASE_S)
    breaker.died(caller)
    return breaker


async def sole_state(store: Store) -> str:
    """The state of the only variable."""
    [variable] = await store.variables.page({}, first=2)
    return variable.state


def leases_of(claimed: Sequence[ClaimedTask]) -> list[HeldTask]:
    """The leases of claimed tasks, as their host names them."""
    return [HeldTask(each.task.id, each.task.lease) for each in claimed]


def double(value: Any) -> Any:
    return value * 2


@dataclass(slots=True)
class Volunteer:
    """A host that computes what `compute` does; a `shaky` one fails now and then."""

    host: str
    compute: Callable[[Any], Any] = double
    shaky: bool = False

    async def claim(self, runtime: Runtime, first: int = 1, **wanted: Any) -> list[ClaimedTask]:
        return (await claims.claim(runtime, ClaimRequest(self.host, first, **wanted))).tasks

    def report(self, claimed: ClaimedTask) -> reports.Report:
        value = self.compute(orjson.loads(claimed.unit.value))
        return reports.Report(claimed.task.id, claimed.task.lease, value, elapsed_ms=20)

    async def submit(self, runtime: Runtime, claimed: Sequence[ClaimedTask]) -> list[reports.Receipt]:
        return await reports.submit(runtime, self.host, [self.report(each) for each in claimed])

    async def work(self, runtime: Runtime, first: int = 1) -> int:
        """One round: claim and submit; how many tasks it was."""
        claimed = await self.claim(runtime, first)
        if claimed:
            await self.submit(runtime, claimed)
        return len(claimed)


class Died(BaseException):
    """The process ended here: nothing in it is carried on."""


@dataclass(slots=True)
class Ending:
    """How many storage operations a process still carries out before it ends; None: it lives."""

    operations: int | None = None

    def step(self) -> None:
        if self.operations is not None:
            if self.operations == 0:
                raise Died
            self.operations -= 1


@contextmanager
def mortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ending]:
    """Have the process end at a chosen storage operation; of many documents to insert, it gets half-way."""
    ending = Ending()
    run, insert_many = Collection._run, Collection.insert_many

    async def run_or_die(self: Collection, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        ending.step()
        return await run(self, name, operation)

    async def insert_some_or_die(self: Collection, documents: Sequence[dict[str, Any]]) -> set[str]:
        if ending.operations == 0 and len(documents) > 1:
            ending.operations = 1
            await insert_many(self, documents[: len(documents) // 2])
        return await insert_many(self, documents)

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "_run", run_or_die)
        patch.setattr(Collection, "insert_many", insert_some_or_die)
        yield ending


@contextmanager
def interleaved(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> Iterator[None]:
    """Have others get their turn before and after every storage operation, at random."""
    run = Collection._run

    async def run_between_others(self: Collection, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        answer = await run(self, name, operation)
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "_run", run_between_others)
        yield


async def carry_on(runtime: Runtime, clock: Clock, volunteers: Sequence[Volunteer], rounds: int = 12) -> None:
    """Let volunteers finish all there is, leases run out and the sweeper sweep, `rounds` times."""
    for _ in range(rounds):
        for volunteer in volunteers:
            while await volunteer.work(runtime, 10):
                pass
        clock.advance(LEASE_S + 1)
        await sweep(runtime)
        await sweep(runtime)


@dataclass(slots=True)
class Books:
    """All that a store holds of a job's variables."""

    variables: list[Variable]
    tasks: Mapping[str, list[Task]] = field(default_factory=dict)
    results: Mapping[str, list[Result]] = field(default_factory=dict)

    @classmethod
    async def read(cls, store: Store, job: str) -> Books:
        tasks: dict[str, list[Task]] = defaultdict(list)
        results: dict[str, list[Result]] = defaultdict(list)
        for found in await store.tasks._collection.find({"job": {"$eq": job}}, limit=100_000):
            tasks[found["unit"]].append(Task.load(found))
        for result in await store.results.page({"job": job}, first=100_000):
            results[result.unit].append(result)
        return cls(await store.variables.page({"job": job}, first=100_000), tasks, results)

    def check_no_task_is_ready_of_what_has_ended(self) -> None:
        of_ended = [task for variable in self.variables if variable.finished_at for task in self.tasks[variable.id]]
        assert [task for task in of_ended if task.status == TaskState.READY] == []

    def check_finished(self, expected: Callable[[Any], Any] = double) -> None:
        """Every variable has its one canonical result, the right one, and nothing is left under way."""
        for variable in self.variables:
            tasks, results = self.tasks[variable.id], self.results[variable.id]
            about = f"{variable} with {tasks} and {results}"
            assert variable.state == UnitState.DONE, about
            [canonical] = [result for result in results if result.verdict == Verdict.CANONICAL]
            assert canonical.number == variable.canonical, about
            assert orjson.loads(canonical.value) == expected(orjson.loads(variable.value)), about
            for result in results:
                agrees = result.digest == canonical.digest
                allowed = {Verdict.CANONICAL, Verdict.VALID} if agrees else {Verdict.INVALID}
                assert result.verdict in allowed | {Verdict.TOO_LATE}, about
            assert {task.status for task in tasks} <= FINAL, about
            assert sum(task.number.isdigit() for task in tasks) == variable.total, about
            assert {task.number for task in tasks if task.status == TaskState.REPORTED} == {
                result.number for result in results
            }, about
            assert max(Counter(result.host for result in results).values()) == 1, about


async def check_credit(store: Store, books: Books) -> None:
    """Each result counted once for its host."""
    every = [result for results in books.results.values() for result in results]
    for host in await store.hosts.page({}, first=100):
        own = [result for result in every if result.host == host.key]
        valid = [result for result in own if result.verdict in (Verdict.VALID, Verdict.CANONICAL)]
        failed = [result for result in own if result.error]
        invalid = [result for result in own if result.verdict == Verdict.INVALID and not result.error]
        assert (host.valid, host.failed, host.invalid) == (len(valid), len(failed), len(invalid)), own
        assert host.elapsed_ms == sum(result.elapsed_ms for result in valid)

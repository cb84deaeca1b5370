"""Several server processes on one store, and eight volunteers who don't all play by the rules."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from comp_pool import ErrorCode, PoolClient
from resolvers.sweeping.sweep import sweep
from sandbox import Sandbox
from storage import open_store
from tests.processes import running_server
from tests.resolvers.playing import Books, check_credit
from tests.runtimes import start_runtime
from tests.warm_servers import warm_server
from volunteer.calls import LeasedTask, PoolCalls, Report

JOB = "polynomial"
SOURCE = "(variable, context) => ({ result: variable * variable + 7 })"
CREATE_JOB = "mutation Create($input: CreateJobInput!) { createJob(input: $input) { userErrors { message } } }"
CREATE_VARIABLES = """mutation Create($input: CreateVariablesInput!) {
  createVariables(input: $input) { userErrors { message } }
}"""
COUNTS = "query Counts($job: String!) { job(key: $job) { variableCounts { new open done failed cancelled } } }"
VARIABLES = """query Variables($job: String!, $after: String) { job(key: $job) { variables(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { value state canonicalResult { value verdict } }
} } }"""

Vote = tuple[int, str]
"""A variable's value, and the key of a host that reported a result for it."""

MOST_IN_A_REQUEST = 100
PATIENCE_S = 300
LONG_AFTER_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Manner:
    """How a host takes part.

    Attributes:
        wrong_by: what a cheat adds to its values; no two cheats agree.
        releases: how often it gives a part of a claim back.
        repeats: how often it posts the same results to both servers at once.
        forgets: it never reports its first claim.
        oversleeps: it reports its first claim after the lease ran out.
    """

    wrong_by: int = 0
    releases: float = 0.1
    repeats: float = 0.1
    forgets: bool = False
    oversleeps: bool = False


MANNERS = (
    Manner(),
    Manner(repeats=0.5),
    Manner(releases=0.5),
    Manner(forgets=True),
    Manner(oversleeps=True),
    Manner(oversleeps=True, repeats=0.5),
    Manner(wrong_by=1),
    Manner(wrong_by=2, releases=0.3),
)
PUNCTUAL = (*(replace(manner, forgets=False, oversleeps=False) for manner in MANNERS[:7]), Manner())


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is to be done, and how: `least` to `most` tasks in a claim, leased for `lease_s` seconds, and a pause of
    `pause_s` seconds where there is nothing to do."""

    variables: int
    least: int
    most: int
    lease_s: int
    pause_s: float
    manners: Sequence[Manner] = MANNERS


class Host:
    """One volunteer at work at all of `pools`, which are servers of one pool."""

    def __init__(self, pools: Sequence[PoolCalls], manner: Manner, chance: random.Random, pace: Pace) -> None:
        self._pools = pools
        self._manner = manner
        self._chance = chance
        self._pace = pace
        self._token = ""
        self.taken: set[Vote] = set()
        """The votes that the pool said it has."""

    async def work(self, ended: asyncio.Event) -> None:
        first = await self._claim()
        late = asyncio.create_task(self._report_late(first))
        while not ended.is_set():
            tasks = await self._claim()
            if not tasks:
                await asyncio.sleep(self._pace.pause_s)
            elif self._chance.random() < self._manner.releases:
                kept = tasks[len(tasks) // 2 :]
                await self._pool.release(tasks[: len(tasks) // 2] or kept)
                await self._post(kept)
            elif self._chance.random() < self._manner.repeats:
                await asyncio.gather(self._post(tasks), self._post(tasks))
            else:
                await self._post(tasks)
        await late

    @property
    def _key(self) -> str:
        return self._token.partition(".")[0]

    @property
    def _pool(self) -> PoolCalls:
        return self._chance.choice(self._pools)

    async def _claim(self) -> list[LeasedTask]:
        first = self._chance.randint(self._pace.least, self._pace.most)
        claim = await self._pool.claim(host=self._token, name="", wanted={"first": first, "jobs": [JOB]})
        self._token = claim.host
        assert len({task.variable for task in claim.tasks}) == len(claim.tasks)
        return claim.tasks

    async def _report_late(self, tasks: Sequence[LeasedTask]) -> None:
        if self._manner.forgets:
            return
        if self._manner.oversleeps and tasks:
            await asyncio.sleep(tasks[0].delay_bound_s + 0.5)
        await self._post(tasks)

    async def _post(self, tasks: Sequence[LeasedTask]) -> None:
        if not tasks:
            return
        reports = [Report(task, 1, value=task.variable**2 + 7 + self._manner.wrong_by) for task in tasks]
        for task, receipt in zip(tasks, await self._pool.submit(self._token, reports), strict=True):
            if receipt.refusal is None:
                self.taken.add((task.variable, self._key))
            else:
                assert receipt.refusal.code == ErrorCode.LEASE_LOST, receipt


class FreshConnections(httpx.AsyncHTTPTransport):
    """A connection a request, each of which may reach another process, and no limit to how long an answer takes."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "timeout": {}}
        return await super().handle_async_request(request)


@asynccontextmanager
async def _clients(urls: Sequence[str]) -> AsyncIterator[list[PoolClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(PoolClient(url, transport=FreshConnections())) for url in urls]


async def _submit_job(clients: Sequence[PoolClient], pace: Pace) -> None:
    policy = {"quorum": 2, "maxTotal": 100, "delayBoundSeconds": pace.lease_s}
    await clients[0].mutate(CREATE_JOB, name=JOB, executeFunction=SOURCE, policy=policy)
    for at in range(0, pace.variables, MOST_IN_A_REQUEST):
        values = [{"value": value} for value in range(at, min(at + MOST_IN_A_REQUEST, pace.variables))]
        await clients[at // MOST_IN_A_REQUEST % len(clients)].mutate(CREATE_VARIABLES, job=JOB, variables=values)


async def _compute_all(urls: Sequence[str], chance: random.Random, pace: Pace) -> set[Vote]:
    """Have eight hosts compute a job's variables, up to `most` in a claim, and look at them through the API; the votes
    that were taken."""
    async with _clients(urls) as clients:
        await _submit_job(clients, pace)
        pools = [PoolCalls(client) for client in clients]
        hosts = [Host(pools, manner, random.Random(chance.random()), pace) for manner in pace.manners]
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for host in hosts:
                group.create_task(host.work(ended))
            await _until_all_ended(clients[0], pace.pause_s)
            ended.set()
        counts = (await clients[-1].call(COUNTS, job=JOB))["job"]["variableCounts"]
        assert counts == {"new": 0, "open": 0, "done": pace.variables, "failed": 0, "cancelled": 0}
        await _check_through_the_api(clients[-1], pace.variables)
    return set().union(*(host.taken for host in hosts))


async def _until_all_ended(client: PoolClient, pause_s: float) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            counts = (await client.call(COUNTS, job=JOB))["job"]["variableCounts"]
            if counts["new"] + counts["open"] == 0:
                return
            await asyncio.sleep(pause_s)


async def _check_through_the_api(client: PoolClient, variables: int) -> None:
    seen: list[int] = []
    async for variable in _variables(client):
        assert variable["state"] == "DONE", variable
        assert variable["canonicalResult"]["value"] == variable["value"] ** 2 + 7, variable
        assert variable["canonicalResult"]["verdict"] == "CANONICAL", variable
        seen.append(variable["value"])
    assert sorted(seen) == list(range(variables))


async def _variables(client: PoolClient) -> AsyncIterator[dict[str, Any]]:
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        found = (await client.call(VARIABLES, job=JOB, after=page["endCursor"]))["job"]["variables"]
        page = found["pageInfo"]
        for variable in found["nodes"]:
            yield variable


async def _check_the_books(location: str, variables: int, taken: set[Vote]) -> None:
    """Look at all that the servers left in the store, once leases that nobody reported have run out."""
    async with open_store(location) as store, Sandbox(workers=1) as sandbox:
        runtime = await start_runtime(store, sandbox)
        runtime.now = lambda: store.clock.now() + LONG_AFTER_MS
        while (await sweep(runtime)).total:
            pass
        books = await Books.read(store, JOB)
        assert len(books.variables) == variables
        books.check_finished(lambda value: value**2 + 7)
        stored = {
            (int(variable.value), result.host) for variable in books.variables for result in books.results[variable.id]
        }
        assert taken - stored == set()
        assert stored - taken == set()
        await check_credit(store, books)


@pytest.fixture
def chance() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


async def test_processes_of_one_server_give_each_variable_one_result_that_two_hosts_agree_on(
    tmp_path: Path, chance: random.Random, capfd: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "pool"
    with running_server(database, workers=2) as server:
        taken = await _compute_all(
            [server.url], chance, Pace(variables=1_000, least=1, most=60, lease_s=3, pause_s=0.2)
        )
    assert " ERROR " not in capfd.readouterr().err
    await _check_the_books(str(database), 1_000, taken)


@pytest.mark.parametrize("engine_location", ["mongodb"], indirect=True)
async def test_servers_on_one_database_give_each_variable_one_result_that_two_hosts_agree_on(
    engine_location: str, chance: random.Random, capfd: pytest.CaptureFixture[str]
) -> None:
    # FerretDB reads a collection whole for nearly every operation. Looking for leases that ran out, and hosts that ask
    # often for little, would cost more than the work: the processes of one server are tested with those.
    pace = Pace(variables=150, least=20, most=100, lease_s=600, pause_s=4, manners=PUNCTUAL)
    seldom = ["--sweep-seconds", "30"]
    with (
        warm_server(engine_location, options=seldom) as one,
        warm_server(engine_location, options=seldom) as other,
    ):
        taken = await _compute_all([one.url, other.url], chance, pace)
    assert " ERROR " not in capfd.readouterr().err
    await _check_the_books(engine_location, 150, taken)

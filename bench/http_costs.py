"""What a request costs a server: CPU time over a bare route that sends the same bytes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import orjson

from bench import pools
from bench.figures import Figure
from bench.load import CONNECTIONS, LoadGenerator, answer, get, load_generator, post
from bench.processes import Server, serving

FEW, MANY = 100, 100_000
ROUNDS = 5
US = "us of CPU"

QUERY = """query Job($key: String!) {
  job(key: $key) { id key name owner state executeFunction sha256 metadata createdAt policy { quorum maxErrors } }
}"""

GET_JOB = get("/jobs/few")
QUERY_JOB = post("/graphql", orjson.dumps({"query": QUERY, "variables": {"key": "few"}}))


def http_costs(requests: int, many: int = MANY) -> Iterator[Figure]:
    """Figures of `requests` requests of each kind; the longer one of two lists has `many` variables."""
    with ExitStack() as running:
        directory = running.enter_context(tempfile.TemporaryDirectory(prefix="comp-pool-bench-"))
        database = str(Path(directory) / "pool")
        asyncio.run(_fill(database, many))
        pool = running.enter_context(serving(pools.pool, database))
        sent = {"/jobs/few": answer(pool.port, GET_JOB), "/graphql": answer(pool.port, QUERY_JOB)}
        bare = running.enter_context(serving(pools.bare, sent))
        hand_written = running.enter_context(serving(pools.hand_written, "few"))
        cost = _costs(
            running.enter_context(load_generator()),
            {
                "bare job": (bare, GET_JOB, requests),
                "job": (pool, GET_JOB, requests),
                "job by hand": (hand_written, GET_JOB, requests),
                "bare query": (bare, QUERY_JOB, requests),
                "query": (pool, QUERY_JOB, requests),
                "few": (pool, get("/jobs/few/variables"), requests // 10),
                "many": (pool, get("/jobs/many/variables"), requests // 10),
            },
        )
    yield Figure("bare route with the bytes of GET /jobs/{key}", cost["bare job"], US)
    yield _over(cost, "job", "bare job", "GET /jobs/{key}, over the bare route", 2.5)
    yield Figure("GET /jobs/{key} written by hand", cost["job by hand"], US)
    yield _over(cost, "job", "job by hand", "GET /jobs/{key}, over the one by hand")
    yield Figure("bare route with the bytes of the GraphQL query of one job", cost["bare query"], US)
    yield _over(cost, "query", "bare query", "GraphQL query of one job, over the bare route", 8)
    yield Figure(f"GET /jobs/{{key}}/variables of {FEW:,}", cost["few"], US)
    yield _over(cost, "many", "few", f"GET /jobs/{{key}}/variables of {many:,}, over those")


def _over(cost: Mapping[str, float], case: str, baseline: str, name: str, target: float | None = None) -> Figure:
    return Figure(name, cost[case], US, cost[case] / cost[baseline], target)


def _costs(load: LoadGenerator, cases: Mapping[str, tuple[Server, bytes, int]]) -> dict[str, float]:
    """Microseconds of its server's CPU time that a request of each case takes.

    The cases take turns, and the best turn counts: what else the machine does only ever adds.
    """
    best = dict.fromkeys(cases, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, (server, request, requests) in cases.items():
            count = max(requests // ROUNDS // CONNECTIONS, 1) * CONNECTIONS
            before = server.cpu_ns()
            load.send(server.port, request, count)
            if turn:  # The first turn warms up.
                best[name] = min(best[name], (server.cpu_ns() - before) / 1000 / count)
    return best


async def _fill(database: str, many: int) -> None:
    async with pools.open_runtime(database) as runtime:
        await pools.add_waiting(runtime, "few", FEW)
        await pools.add_waiting(runtime, "many", many)

"""A process may end between any two storage operations of a deletion: the others carry it through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from resolvers.access import accounts, tokens
from resolvers.access.principals import EVERYBODY, Principal, Scope
from resolvers.access.tokens import NewToken
from resolvers.deleting import accounts as deleting_accounts
from resolvers.deleting import flows as deleting_flows
from resolvers.deleting import hosts as deleting_hosts
from resolvers.deleting import jobs as deleting_jobs
from resolvers.deleting import variables as deleting_variables
from resolvers.errors import NotFound
from resolvers.flows import submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import hosts
from sandbox import Sandbox
from storage import Store, open_store
from tests.resolvers.deleting.ledger import counted, removed
from tests.resolvers.playing import DOUBLE, Clock, Died, Volunteer, mortal, process

ADA = Principal("ada", frozenset({Scope.SUBMIT}))
LEFT = {
    "job": {"hosts": 1, "accounts": 1, "tokens": 1},
    "variables": {"jobs": 1, "requests": 2, "lanes": 2, "hosts": 1, "accounts": 1, "tokens": 1},
    "account": {"hosts": 1},
}
"""What is left once the flow and something else are removed."""

Step = Callable[[Runtime], Awaitable[object]]


async def furnish(runtime: Runtime) -> tuple[str, str]:
    """An account with a job whose variables are half computed by a host, and a flow that runs; the key of the flow and
    that of the host."""
    await accounts.create(runtime, "Ada")
    await tokens.issue(runtime, "ada", NewToken("test", (Scope.SUBMIT,)))
    await jobs.create(runtime, jobs.NewJob("double", DOUBLE, idempotency_key="once"), ADA)
    new = [variables.NewVariable(value, f"v{value}") for value in range(3)]
    await variables.create_many(runtime, "double", new, principal=ADA, idempotency_key="once")
    root = NewLevel([NewFlowJob("double", "v0")], [NewLevel([NewFlowJob("double", "v1"), NewFlowJob("double", "v2")])])
    flow = await submission.submit(runtime, submission.NewFlow(root, idempotency_key="once"), principal=ADA)
    host = (await hosts.identify(runtime, None)).key
    await Volunteer(host).work(runtime, 1)  # A run of the flow, whose work goes first.
    await Volunteer(host).claim(runtime, 1)
    await Volunteer("zoe").work(runtime, 2)
    await runtime.settled()
    return flow.key, host


def deletion(name: str, flow: str, host: str) -> Step:
    deletions: dict[str, Step] = {
        "job": lambda runtime: deleting_jobs.delete(runtime, "double"),
        "variables": lambda runtime: deleting_variables.delete(runtime, "double", ["v0", "v1", "v2"]),
        "flow": lambda runtime: deleting_flows.delete(runtime, flow),
        "host": lambda runtime: deleting_hosts.delete(runtime, EVERYBODY, host),
        "account": lambda runtime: deleting_accounts.delete(runtime, "ada"),
    }
    return deletions[name]


async def delete_again(runtime: Runtime, step: Step) -> None:
    """What was begun is done; what was not is done now."""
    with suppress(NotFound):
        await step(runtime)


async def live_twice(store: Store, sandbox: Sandbox, name: str, survived: int, patch: pytest.MonkeyPatch) -> bool:
    """Delete something and have it removed by a process that ends after `survived` operations, and by another one;
    whether the first one was through."""
    clock, finished = Clock(), False
    first = await process(store.database, sandbox, clock)
    flow, host = await furnish(first)
    step = deletion(name, flow, host)
    with mortal(patch) as ending, suppress(Died):
        ending.operations = survived
        await step(first)
        clock.advance(first.takeover_ms / 1000 + 1)
        while (await sweep(first)).deleted:
            pass
        finished = True
    await first.close()
    second = await process(store.database, sandbox, clock)
    await delete_again(second, step)
    await removed(second, clock)
    await check(second, clock, name, flow, host)
    return finished


async def check(runtime: Runtime, clock: Clock, name: str, flow: str, host: str) -> None:
    store = runtime.store
    if name == "host":
        assert await store.results.count({"host": host}) == 0
        assert await store.tasks.count({"host": host}) == 0
        assert await store.hosts.count({}) == 0
        return
    if name != "flow":
        await delete_again(runtime, deletion("flow", flow, host))
        await removed(runtime, clock)
        assert await counted(store) == LEFT[name]
        return
    left = await counted(store)
    assert not {"flows", "levels", "flow_jobs", "runs"} & set(left)
    assert await store.tasks.count({"flow": f"flow:{flow}"}) == 0
    assert left["variables"] == 3


@pytest.mark.parametrize("name", ["job", "variables", "flow", "host", "account"])
async def test_what_was_deleted_is_removed_wherever_its_process_ended(
    engine_location: str, name: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    survived, finished = 0, False
    while not finished:
        async with open_store(engine_location) as store:
            for repository in ("jobs", "variables"):
                assert await store.database.collection(repository).count({}) == 0
            finished = await live_twice(store, sandbox, name, survived, monkeypatch)
            await empty(store)
        survived += 1 if engine_location == "mock" else 5


async def empty(store: Store) -> None:
    for name in await counted(store):
        await store.database.collection(name).delete_many({})

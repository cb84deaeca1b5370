"""Hosts and networks that an operator has blocked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers.blocks import Blocks
from storage import Store
from tests.processes import PATIENCE_S
from tests.runtimes import start_runtime
from tests.server.access_pool import AccessPool, access_pool

CLAIM = "host whyNoWork retryAfterSeconds tasks { id lease { token } }"
NETWORK = "127.0.0.0/24"
"""That of the client of a pool in this process."""


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


async def claim(pool: AccessPool, **wanted: Any) -> Any:
    return await pool.mutate("none", "claimTasks", CLAIM, jobs=["work"], **wanted)


async def block(pool: AccessPool, name: str, **given: Any) -> Any:
    payload = await pool.mutate("operator", name, "__typename", **{"reason": "It cheats.", **given})
    assert payload["userErrors"] == []
    return payload


def report_of(task: Any) -> dict[str, Any]:
    return {"task": task["id"], "lease": task["lease"]["token"], "value": 2}


async def test_a_blocked_host_loses_its_tasks_and_gets_no_more(pool: AccessPool) -> None:
    held = await claim(pool, host=pool.host, first=2)
    assert len(held["tasks"]) == 2
    await block(pool, "blockHost", host=held["host"].partition(".")[0])
    others = await claim(pool, first=2)
    assert {each["id"] for each in others["tasks"]} == {each["id"] for each in held["tasks"]}
    again = await claim(pool, host=pool.host)
    assert (again["tasks"], again["whyNoWork"], again["retryAfterSeconds"]) == ([], "BLOCKED", 900)
    assert again["host"] == pool.host
    reports = [report_of(each) for each in held["tasks"]]
    refused = await pool.mutate("none", "submitResults", "results { verdict }", host=pool.host, results=reports)
    assert refused["results"] == [None, None]
    assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [
        ("LEASE_LOST", f"results[{at}].lease") for at in range(2)
    ]
    assert all("has blocked this host" in each["message"] for each in refused["userErrors"])
    [lost, _] = (
        await pool.mutate(
            "none",
            "extendLease",
            "",
            tasks=[{"task": each["id"], "lease": each["lease"]["token"]} for each in held["tasks"]],
        )
    )["userErrors"]
    assert lost["code"] == "LEASE_LOST"
    await pool.mutate("operator", "unblockHost", "host { block { reason } }", host=pool.host.partition(".")[0])
    assert (await claim(pool, host=pool.host))["whyNoWork"] != "BLOCKED"


async def test_a_blocked_network_gets_no_work_whoever_asks_from_it(pool: AccessPool) -> None:
    held = await claim(pool, host=pool.host, first=1)
    await block(pool, "blockAddressGroup", addressGroup="127.0.0.1")
    assert not (await pool.runtime.store.tasks.held_by(pool.host.partition(".")[0], 9))
    for host in (pool.host, None):
        again = await claim(pool, **({"host": host} if host else {}))
        assert (again["tasks"], again["whyNoWork"], again["host"]) == ([], "BLOCKED", host)
    refused = await pool.mutate(
        "none", "submitResults", "results { verdict }", host=pool.host, results=[report_of(held["tasks"][0])]
    )
    assert [each["code"] for each in refused["userErrors"]] == ["LEASE_LOST"]
    # Clients of the original ask for variables, and post results unasked.
    shown = await pool.http.get("/jobs/public/variables")
    assert shown.json()["warningMessage"] == "Job has no variables"
    posted = await pool.http.post("/jobs/work/variables/v/results", json=2)
    assert (posted.status_code, posted.json()["code"]) == (403, "FORBIDDEN")
    assert (await pool.http.get("/jobs/work")).status_code == 200
    lifted = await pool.mutate("operator", "unblockAddressGroup", "addressGroup", addressGroup=NETWORK)
    assert lifted["addressGroup"] == NETWORK
    assert (await claim(pool))["whyNoWork"] is None


async def test_operators_see_what_is_blocked(pool: AccessPool) -> None:
    key = (await claim(pool, host=pool.host))["host"].partition(".")[0]
    other = (await claim(pool))["host"].partition(".")[0]
    await block(pool, "blockHost", host=key, expiresAt="2100-01-01T00:00:00Z")
    wanted = "kind host addressGroup reason account expiresAt"
    found = (await pool.ask("operator", f"{{ blocks {{ nodes {{ {wanted} }} }} }}"))["data"]["blocks"]["nodes"]
    assert found == [
        {
            "kind": "HOST",
            "host": key,
            "addressGroup": None,
            "reason": "It cheats.",
            "account": "operator",
            "expiresAt": "2100-01-01T00:00:00+00:00",
        }
    ]
    query = "{ hosts(%s) { nodes { key addressGroup block { reason kind } } } }"

    async def hosts(given: str) -> Any:
        return (await pool.ask("operator", query % given))["data"]["hosts"]["nodes"]

    [blocked] = await hosts("blocked: true")
    assert blocked == {"key": key, "addressGroup": NETWORK, "block": {"reason": "It cheats.", "kind": "HOST"}}
    assert {each["key"] for each in await hosts(f'addressGroup: "{NETWORK}"')} == {key, other}
    assert await hosts('addressGroup: "192.0.2.0/24"') == []
    await block(pool, "blockAddressGroup", addressGroup=NETWORK)
    assert {each["key"] for each in await hosts("blocked: true")} == {key, other}
    assert len(await hosts("blocked: true, first: 1")) == 1
    for given in ("blocked: true", f'addressGroup: "{NETWORK}"'):
        [error] = (await pool.ask("owner", query % given))["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
    hidden = (await pool.ask("owner", query % "first: 9"))["data"]["hosts"]["nodes"]
    assert {(each["addressGroup"], each["block"]) for each in hidden} == {(None, None)}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"addressGroup": "nowhere"}, "addressGroup"),
        ({"addressGroup": "10.0.0.0/8"}, "addressGroup"),
        ({"addressGroup": "2001:db8::/32"}, "addressGroup"),
        ({"addressGroup": "192.0.2.1", "reason": "  "}, "reason"),
        ({"addressGroup": "192.0.2.1", "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
async def test_a_block_that_makes_no_sense_is_refused(pool: AccessPool, given: dict[str, str], field: str) -> None:
    payload = await pool.mutate("operator", "blockAddressGroup", "", **{"reason": "It floods.", **given})
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [("BAD_INPUT", field)]


@pytest.mark.parametrize(
    ("given", "group"),
    [("192.0.2.7", "192.0.2.0/24"), ("192.0.2.128/25", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")],
)
async def test_a_network_is_blocked_as_limits_count_it(pool: AccessPool, given: str, group: str) -> None:
    payload = await pool.mutate(
        "operator", "blockAddressGroup", "block { addressGroup }", addressGroup=given, reason="It floods."
    )
    assert payload["block"] == {"addressGroup": group}


async def test_a_block_ends_by_itself(pool: AccessPool) -> None:
    await block(pool, "blockAddressGroup", addressGroup=NETWORK, expiresAt="2100-01-01T00:00:00Z")
    assert (await claim(pool))["whyNoWork"] == "BLOCKED"
    pool.runtime.now = lambda: 4_102_444_800_000
    assert (await claim(pool))["whyNoWork"] != "BLOCKED"
    await sweep(pool.runtime)
    assert (await pool.ask("operator", "{ blocks { nodes { reason } } }"))["data"]["blocks"]["nodes"] == []


async def test_another_process_knows_of_a_block_without_being_asked(pool: AccessPool) -> None:
    host = pool.host.partition(".")[0]
    other = await start_runtime(Store(pool.runtime.store.database), pool.runtime.sandbox)
    blocks = other.part(Blocks)

    async def knows(of_it: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (blocks.of(host=host) is not None) != of_it:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.02)

    async with blocks.kept_fresh():
        await block(pool, "blockHost", host=host)
        await knows(of_it=True)
        await pool.mutate("operator", "unblockHost", "", host=host)
        await knows(of_it=False)
    await other.close()


async def test_leases_that_another_process_gave_meanwhile_are_given_up_too(pool: AccessPool) -> None:
    key = pool.host.partition(".")[0]
    await claim(pool, host=pool.host, first=1)
    runtime: Runtime = pool.runtime
    await block(pool, "blockHost", host=key)
    # As of a process that has not read the blocks since.
    known, runtime.part(Blocks).known = runtime.part(Blocks).known, {}
    assert (await claim(pool, host=pool.host, first=1))["tasks"]
    runtime.part(Blocks).known = known
    await sweep(runtime)
    assert not await runtime.store.tasks.held_by(key, 9)


async def test_the_block_of_a_host_that_is_deleted_goes_with_it(pool: AccessPool) -> None:
    key = pool.host.partition(".")[0]
    await block(pool, "blockHost", host=key)
    await pool.mutate("operator", "deleteHost", "", host=key)
    assert (await pool.ask("operator", "{ blocks { nodes { host } } }"))["data"]["blocks"]["nodes"] == []


async def test_each_act_is_in_the_audit_log(pool: AccessPool) -> None:
    key = pool.host.partition(".")[0]
    await block(pool, "blockHost", host=key)
    await pool.mutate("operator", "unblockHost", "", host=key)
    await block(pool, "blockAddressGroup", addressGroup="192.0.2.7")
    await pool.mutate("operator", "unblockAddressGroup", "", addressGroup="192.0.2.7")
    log = await pool.ask("operator", "{ auditLog(first: 4) { nodes { action subject } } }")
    assert [(each["action"], each["subject"]) for each in log["data"]["auditLog"]["nodes"]] == [
        ("unblockAddressGroup", "address group 192.0.2.7"),
        ("blockAddressGroup", "address group 192.0.2.7"),
        ("unblockHost", f"host {key}"),
        ("blockHost", f"host {key}"),
    ]

"""Clients that watch the pool see what changes in it, whatever connections they lose."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from comp_pool import PoolClient, PoolRefused
from tests.e2e.activity import ACTIVITY, PoolDashboard
from tests.e2e.dashboard import PATIENCE_S
from tests.e2e.transports import TRANSPORT, Subscribe
from tests.processes import RunningServer, running_server, until
from volunteer.calls import PoolCalls

STATUS = "{ pool { status { hosts activeHosts tasks { ready leased reported } } } }"
CREATE_JOB = """mutation { createJob(input: {name: "Work", executeFunction: "(v, c) => c"}) {
  userErrors { message } } }"""
CREATE_VARIABLES = """mutation { createVariables(input: {job: "work", variables: [{value: 1}, {value: 2}]}) {
  userErrors { message } } }"""


@TRANSPORT
async def test_what_changes_in_the_pool_is_told_and_a_client_that_comes_back_misses_nothing(
    tmp_path: Path, transport: Subscribe
) -> None:
    empty = {"ready": 0, "leased": 0, "reported": 0}
    with running_server(tmp_path / "pool", workers=2) as server:
        dashboard = PoolDashboard(server.url)
        async with asyncio.timeout(PATIENCE_S):
            await dashboard.follow(transport, lambda: True)
            server.ask(CREATE_JOB)
            server.ask(CREATE_VARIABLES)
            await dashboard.follow(transport, lambda: bool(dashboard.counts["tasks"]["ready"] == 2))
            # It is away while the pool goes on, and may come back to the other process.
            await claim_one(server)
            one_is_leased = {**empty, "ready": 1, "leased": 1}
            await dashboard.follow(transport, lambda: bool(dashboard.counts["tasks"] == one_is_leased))
            for _ in range(4):  # Some of them go to the process whose counts are the older ones.
                await dashboard.follow(transport, lambda: True)
        known = dashboard.counts
        # Whichever process answers counts again within a second.
        until(lambda: known == server.ask(STATUS)["pool"]["status"], "the pool's own counts are those that were told")
    assert dashboard.deltas[0] == {"hosts": 0, "activeHosts": 0, "tasks": empty}
    assert {"tasks": {**empty, "ready": 2}} in dashboard.deltas
    assert dashboard.deltas[-1] == {}


async def claim_one(server: RunningServer) -> None:
    """A process hears within a second of work that came to another."""
    async with PoolClient(server.url) as client:
        host = ""
        while not (claim := await PoolCalls(client).claim(host=host, name="", wanted={"first": 1})).tasks:
            host = claim.host


async def test_a_cursor_that_is_none_of_the_pool_is_refused(pool_server: RunningServer) -> None:
    async with PoolClient(pool_server.url) as client:
        with pytest.raises(PoolRefused, match="no cursor of this subscription") as refused:
            await anext(client.subscribe(ACTIVITY, after="yesterday"))
    assert (refused.value.refusal.code, refused.value.refusal.field) == ("BAD_INPUT", "after")

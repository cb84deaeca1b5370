"""What it costs the store to know who asks: nothing without a token, and nothing while a token is cached."""

from __future__ import annotations

import pytest

from tests.server.access_pool import access_pool

QUERY = '{ job(key: "work") { key name owner executeFunction } }'


@pytest.mark.parametrize("principal", ["none", "volunteer", "owner", "operator"])
async def test_reading_a_job_costs_no_operation_whoever_asks(principal: str) -> None:
    async with access_pool() as pool:
        # What comes first may read the job and the token, and note that this was used.
        await pool.ask(principal, "{ pool { name } }")
        await pool.runtime.settled()
        operations = pool.runtime.store.database.operations
        for _ in range(5):
            # A cache that ran out in between is read again: once is enough to see that it need not be.
            before = operations.total()
            answer = await pool.http.get("/jobs/work", headers=pool.header(principal))
            asked = await pool.ask(principal, QUERY)
            assert answer.json()["owner"] == asked["data"]["job"]["owner"] == "ada"
            if operations.total() == before:
                return
        pytest.fail("each read of a job costs an operation of the store")

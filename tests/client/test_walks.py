"""Clients from npm, unmodified, find their way from the root to a result of theirs; one script a client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.client.conftest import Walk


async def value_at(client: httpx.AsyncClient, url: str, name: str) -> object:
    return (await client.get(url)).raise_for_status().json()[name]


def doubled(variable: Any) -> int:
    """What the pool's job makes of one of its variables: `{"x": 1}`, or a result that became a variable."""
    value: int = variable["x"] if isinstance(variable, dict) else variable
    return 2 * value


@pytest.mark.parametrize("script", ["ketting.mjs", "traverson.cjs", "halson.mjs", "angular-hypermedia.cjs"])
async def test_a_hal_client_walks_from_the_root_to_a_result_of_its_own(
    client: httpx.AsyncClient, walk: Walk, script: str
) -> None:
    told = walk(script)
    variable = await value_at(client, told["variable"], "variable")
    assert told["location"].startswith(f"{told['variable']}/results/")
    assert await value_at(client, told["location"], "result") == doubled(variable)
    assert told["location"] in told["listed"]


async def test_the_documented_client_computes_a_random_variable_and_saves_its_result_as_a_variable_too(
    client: httpx.AsyncClient, walk: Walk
) -> None:
    told = walk("legacy.cjs")
    variable = await value_at(client, told["variable"], "variable")
    assert told["result"] == doubled(variable)
    assert await value_at(client, told["location"], "result") == told["result"]
    assert await value_at(client, told["asVariable"], "variable") == told["result"]


async def test_the_documented_client_finds_jobs_and_variables_by_their_keys(
    client: httpx.AsyncClient, walk: Walk, pool_url: str
) -> None:
    told = walk("legacy.cjs", "doubler", "v33")
    assert told["variable"] == f"{pool_url}/jobs/doubler/variables/v33"
    assert told["asVariable"] is None
    assert await value_at(client, told["location"], "result") == 66


def test_the_client_of_today_computes_a_flow_that_it_watches_over_lost_connections(walk: Walk) -> None:
    told = walk("pool.mjs", "doubler")
    assert told["same"] is True
    assert (told["state"], told["result"]) == ("COMPLETED", {"doubler": 2, "second": 4})
    assert told["states"][-1] == "COMPLETED"
    assert told["connections"] >= len(told["states"])
    assert told["cursorsGrow"]
    assert told["reset"] == [True] + [False] * (len(told["reset"]) - 1)


def test_the_client_of_today_repeats_a_claim_extends_it_and_gives_it_back(walk: Walk) -> None:
    assert walk("leases.mjs", "doubler") == {
        "same": True,
        "lost": 0,
        "released": 1,
        "lostThen": [True],
        "refused": "BAD_INPUT",
        "away": "UNREACHABLE",
        "forged": "FORGED_SOURCE",
    }

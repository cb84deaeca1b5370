"""The original documentation's example interaction, through the facade and through GraphQL, on one fixture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import Function, Returned, Sandbox
from tests.contract.players import GraphQLPlayer, Player, RestPlayer
from tests.processes import PATIENCE_S
from tests.warm_servers import warm_server

FIXTURE = json.loads((Path(__file__).parent / "fixture.json").read_text(encoding="utf-8"))
Players = type[RestPlayer] | type[GraphQLPlayer]


async def compute(body: str, variable: Any) -> Any:
    """What a client gets that calls `execute_function` with the variable."""
    async with Sandbox(workers=1) as sandbox:
        function = Function(body, ("variable", "context"))
        [outcome] = await sandbox.run(function, [[json.dumps(variable), "{}"]], owner="client")
    assert isinstance(outcome, Returned)
    return json.loads(outcome.json)["result"]


async def play(player: Player) -> list[Any]:
    """Root -> scheduler -> job -> variable -> compute -> result -> read it; all that the client comes to know."""
    known: list[Any] = [await player.submit_job(FIXTURE["job"])]
    known.append(await player.add_variable(known[0]["key"], FIXTURE["variable"]))
    job = await player.scheduled_job()
    variable = await player.scheduled_variable(job["key"])
    value = await compute(job["execute_function"], variable["value"])
    saved = await player.save(job["key"], variable["id"], value)
    return [*known, job, variable, value, saved, await player.results(job["key"], variable["id"])]


async def look(player: Player, key: str) -> list[Any]:
    """What a client that comes later knows."""
    return [await player.scheduled_job(), await player.results(key, FIXTURE["variable"]["id"])]


@pytest.mark.parametrize("sort", [RestPlayer, GraphQLPlayer])
async def test_the_example_interaction_ends_with_the_result_that_was_posted(sort: Players) -> None:
    with warm_server("memory") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:
            submitted, added, job, variable, value, saved, results = await play(sort(client))
    assert job == submitted
    assert job["metadata"] == FIXTURE["job"]["metadata"]
    assert variable == added
    assert variable["value"] == FIXTURE["variable"]["value"]
    assert value == saved["result"] == FIXTURE["result"]
    assert saved["verdict"] == "CANONICAL"
    assert results == [saved]


async def test_both_ways_know_the_same_values_whichever_did_the_work() -> None:
    played, seen = [], []
    for sort in (RestPlayer, GraphQLPlayer):
        with warm_server("memory") as server:
            async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:
                played.append(await play(sort(client)))
                seen += [await look(observer(client), "example-job") for observer in (RestPlayer, GraphQLPlayer)]
    assert played[0] == played[1]
    assert all(each == seen[0] for each in seen)

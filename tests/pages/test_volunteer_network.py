"""The volunteer page when the pool, the network or its host is lost, in a real browser."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route

from tests.answering_pool import STRAY_ROWS
from tests.pages.jobs import SLOW, SQUARE, add_job, reported, variables_of
from tests.pages.volunteer import LIGHTEST, Volunteer, figure_is, says, until
from tests.processes import RunningServer
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOME_ROWS = STRAY_ROWS[::3]
"""The client tells these apart as the native one does, which gets them all; the page's outbox does, too."""


async def test_it_outlives_a_restart_of_the_server(context: BrowserContext, tmp_path: Path) -> None:
    with warm_server(tmp_path / "pool") as server:
        job = add_job(server, "Slow", SLOW, [100] * 60)
        volunteer = await Volunteer.visit(context, server, **LIGHTEST)
        await volunteer.start()
        await until(lambda: server.counts(job)["done"] >= 3, "some results")
        port = server.port
    await until(lambda: says(volunteer, "The pool is away"), "word of the pool's absence", 60)
    with warm_server(tmp_path / "pool", port=port) as server:
        await until(lambda: server.counts(job)["done"] == 60, "all results", 90)
        hosts = {result["host"]["key"] for each in variables_of(server, job) for result in each["results"]["nodes"]}
        assert reported(server, job) == 60
        assert len(hosts) == 1


async def test_results_wait_out_a_lost_network_and_a_closed_tab(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Slow", SLOW, [1000])
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    await context.route("**/graphql", lambda route: route.abort("internetdisconnected"))
    await until(lambda: figure_is(volunteer, "Waiting", "1"), "a result that waits")
    await volunteer.page.close()
    await context.unroute("**/graphql")
    assert reported(server, job) == 0
    again = await Volunteer.visit(context, server)
    await until(lambda: server.counts(job)["done"] == 1, "the result to arrive")
    assert reported(server, job) == 1
    assert await again.status() == "Nothing runs before you start it."


async def test_two_tabs_are_one_host_and_take_turns(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Slow", SLOW, [100] * 40)
    first = await Volunteer.visit(context, server, **LIGHTEST)
    second = await Volunteer.visit(context, server)
    await first.start()
    await until(lambda: reported(server, job) >= 3, "results of the first tab")
    await second.start()
    await until(lambda: says(second, "Another tab of this browser computes."), "the second tab to wait")
    assert await second.figure("Computed") == "0"
    await first.page.close()
    await until(lambda: server.counts(job)["done"] == 40, "the second tab to take over", 60)
    results = [result for each in variables_of(server, job) for result in each["results"]["nodes"]]
    assert len({result["host"]["key"] for result in results}) == 1
    assert await second.figure("Computed") != "0"


async def test_claims_whose_answers_are_lost_are_repeated_as_they_were(
    context: BrowserContext, server: RunningServer
) -> None:
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)

    async def lose_each_first_answer(route: Route) -> None:
        call = json.loads(route.request.post_data or "")
        if "claimTasks" not in call["query"]:
            await route.fallback()
            return
        claim = call["variables"]["input"]
        claims = asked[claim["idempotencyKey"]]
        claims.append({name: claim[name] for name in ("first", "repeated")})
        answer = await route.fetch()
        await (route.abort() if len(claims) == 1 and len(asked) > 1 else route.fulfill(response=answer))

    await context.route("**/graphql", lose_each_first_answer)
    job = add_job(server, "Slow", SLOW, [50] * 40)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 40, "all results")
    for first, *again in asked.values():
        assert again == [{**first, "repeated": True}] * len(again)


async def test_it_computes_although_the_script_of_its_clock_did_not_come(
    context: BrowserContext, server: RunningServer
) -> None:
    lost = asyncio.Event()

    async def lose(route: Route) -> None:
        lost.set()
        await route.abort()

    await context.route("**/clock-worker.js", lose)
    job = add_job(server, "Square", SQUARE, range(3))
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "results")
    assert lost.is_set()


async def test_a_pool_that_forgot_this_host_gets_a_new_one(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Square", SQUARE, range(3))
    await context.add_init_script("try { localStorage['comp-pool.host'] ??= 'a-host.of-another-pool' } catch {}")
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "results")


@pytest.mark.parametrize("row", SOME_ROWS, ids=[row["name"] for row in SOME_ROWS])
async def test_a_stray_answer_to_any_call_loses_nothing(
    row: dict[str, Any], context: BrowserContext, server: RunningServer
) -> None:
    """Each kind of call is answered by something else once."""
    calls = ("claimTasks", "executeFunction", "extendLease", "submitResults")
    left = set(calls)
    given = row["answer"]

    async def answer(route: Route) -> None:
        call = next((name for name in calls if name in (route.request.post_data or "")), "")
        if call not in left:
            await route.fallback()
            return
        left.remove(call)
        if given["status"] == 302:  # What the browser makes of it.
            await route.fulfill(status=200, content_type="text/html", body="<!doctype html>")
        else:
            await route.fulfill(status=given["status"], body=given.get("body", ""))

    job = add_job(server, "Slow", SLOW, [600, 601], policy={"delayBoundSeconds": 1})
    await context.route("**/graphql", answer)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 2, "all results")
    assert left == set()
    assert [each["canonicalResult"]["value"] for each in variables_of(server, job)] == [600, 601]


async def test_tasks_whose_source_did_not_come_are_all_given_back(
    context: BrowserContext, server: RunningServer
) -> None:
    lost = asyncio.Event()

    async def lose_a_source(route: Route) -> None:
        asked = route.request.post_data or ""
        if "executeFunction" in asked and '"late"' in asked and not lost.is_set():
            lost.set()
            await route.fulfill(status=404)
        else:
            await route.fallback()

    await context.route("**/graphql", lose_a_source)
    early = add_job(server, "Early", SQUARE, range(40))
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(early)["done"] == 40, "a volunteer that claims many tasks at once")
    late = add_job(server, "Late", SQUARE, range(20))
    await until(lambda: server.counts(late)["done"] == 20, "all results")
    assert lost.is_set()


async def test_a_volunteer_that_is_blocked_says_so_and_drops_what_it_holds(
    context: BrowserContext, server: RunningServer
) -> None:
    add_job(server, "Slow", SLOW, [60_000])
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    key = await volunteer.page.evaluate("localStorage['comp-pool.host'].split('.')[0]")
    server.ask(f'mutation {{ blockHost(input: {{host: "{key}", reason: "It cheats."}}) {{ userErrors {{ code }} }} }}')
    await until(lambda: says(volunteer, "has blocked this computer"), "word of the block", 60)
    assert await volunteer.page.locator("#tasks li").count() == 0
    assert server.ask("{ pool { status { tasks { leased } } } }")["pool"]["status"]["tasks"]["leased"] == 0

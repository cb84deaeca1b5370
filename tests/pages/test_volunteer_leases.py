"""What the volunteer page holds, in a real browser: given back, lost, and taken over."""

import asyncio
from contextlib import suppress

import pytest
from playwright.async_api import BrowserContext, Error, Route

from tests.pages.hand import CLAIM
from tests.pages.jobs import SLOW, SQUARE, add_job, reported, variables_of
from tests.pages.volunteer import LIGHTEST, Volunteer, says, until
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


def is_claim(route: Route) -> bool:
    return "claimTasks" in (route.request.post_data or "")


async def test_stopping_gives_back_at_once_what_is_held(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Slow", SLOW, [60_000] * 4)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    await volunteer.stop()
    await until(lambda: server.tasks()["ready"] == 4, "all tasks to be free", 10)
    assert await volunteer.page.locator("iframe").count() == 0
    assert reported(server, job) == 0


async def test_stopping_gives_back_what_is_claimed_at_that_very_moment(
    context: BrowserContext, server: RunningServer
) -> None:
    add_job(server, "Slow", SLOW, [60_000] * 4)
    claimed, answered = asyncio.Event(), asyncio.Event()

    async def hold_up(route: Route) -> None:
        if is_claim(route):
            response = await route.fetch()
            claimed.set()
            await answered.wait()
            await route.fulfill(response=response)
        else:
            await route.fallback()

    await context.route("**/graphql", hold_up)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await claimed.wait()
    await volunteer.page.get_by_role("button", name="Stop computing").click()
    await until(lambda: says(volunteer, "Giving back what is held."), "it to wait for the answer")
    answered.set()
    await until(lambda: says(volunteer, "Nothing runs before you start it."), "the end")
    await until(lambda: server.tasks()["ready"] == 4, "all tasks to be free", 10)


async def test_stopping_waits_a_few_seconds_for_a_pool_that_answers_no_claim_and_the_next_start_has_its_tasks(
    context: BrowserContext, server: RunningServer
) -> None:
    square = add_job(server, "Square", SQUARE, [3])
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(square)["done"] == 1, "a host that the pool knows")
    await volunteer.stop()
    claimed = asyncio.Event()

    async def swallow(route: Route) -> None:
        if is_claim(route) and not claimed.is_set():
            await route.fetch()
            claimed.set()
        else:
            await route.fallback()

    await context.route("**/graphql", swallow)
    add_job(server, "Slow", SLOW, [60_000])
    await volunteer.start()
    await claimed.wait()
    await volunteer.stop()
    await until(lambda: server.tasks()["leased"] == 1, "the lease that nobody heard of")
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "the task that was leased to it")
    await volunteer.stop()
    await until(lambda: server.tasks()["ready"] == 1, "the task to be free again")


async def test_closing_the_tab_gives_back_what_is_held(context: BrowserContext, server: RunningServer) -> None:
    add_job(server, "Slow", SLOW, [60_000] * 4)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    # One is computed, one is ready to be. A claim under way would be answered after the page is gone.
    held = "JSON.parse(localStorage['comp-pool.leases'] ?? '[]').length === 2"
    await until(lambda: volunteer.page.evaluate(held), "all tasks that it asks for")
    await volunteer.page.goto("about:blank")
    await until(lambda: server.tasks()["ready"] == 4, "all tasks to be free", 10)


async def test_what_a_killed_tab_held_is_given_back_by_the_next_one(
    context: BrowserContext, server: RunningServer
) -> None:
    job = add_job(server, "Slow", SLOW, [60_000])
    first = await Volunteer.visit(context, server, **LIGHTEST)
    await first.start()
    await until(lambda: says(first, "Computing 1 task."), "a task")
    with suppress(Error):  # Nobody is left to answer.
        await first.page.goto("chrome://crash")
    assert server.tasks()["leased"] == 1
    second = await Volunteer.visit(context, server)
    await second.start()
    await until(lambda: says(second, "Computing 1 task."), "the same task")
    results = variables_of(server, job)[0]["results"]["nodes"]
    assert results == []
    await second.stop()
    await until(lambda: server.tasks()["ready"] == 1, "the task to be free again")


async def test_a_lost_lease_is_noticed_after_a_sleep(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Slow", SLOW, [20_000], policy={"delayBoundSeconds": 2})
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    # What a sleeping machine looks like to the pool: nothing is heard of it, and the lease runs out.
    await context.set_offline(True)
    claimed = await until(lambda: server.ask(CLAIM, input={"first": 1})["claimTasks"]["tasks"], "another host's turn")
    assert len(claimed) == 1
    square = add_job(server, "Square", SQUARE, range(3))
    await context.set_offline(False)
    await until(volunteer.notes, "a remark")
    assert "A task of Slow went to another volunteer: its lease was lost." in await volunteer.notes()
    assert reported(server, job) == 0
    await until(lambda: server.counts(square)["done"] == 3, "it to go on")


async def test_what_could_not_be_given_back_is_given_back_by_the_next_start(
    context: BrowserContext, server: RunningServer
) -> None:
    async def lose_releases(route: Route) -> None:
        if "releaseTasks" in (route.request.post_data or ""):
            await route.abort("internetdisconnected")
        else:
            await route.fallback()

    add_job(server, "Slow", SLOW, [60_000])
    await context.route("**/graphql", lose_releases)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    await volunteer.stop()
    await context.unroute("**/graphql")
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 1 task."), "the same task, which was free again")

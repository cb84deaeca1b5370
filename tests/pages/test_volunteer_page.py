"""The volunteer page against a real pool, in a real browser."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Error, Route

from tests.pages.accessibility import violations
from tests.pages.jobs import SLOW, SQUARE, add_job, variables_of
from tests.pages.volunteer import Volunteer, until
from tests.processes import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLAIM = "mutation($input: ClaimTasksInput!) { claimTasks(input: $input) { host tasks { id lease { token } } } }"
SUBMIT = """mutation($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict } userErrors { message } } }"""
ADA = {"owner": "Ada", "description": {"en": "Squares of numbers.", "es": "Cuadrados de números."}}
LIGHTEST = {"workers": 1, "share": 100}
MOST_BYTES = 150_000


def is_claim(route: Route) -> bool:
    return "claimTasks" in (route.request.post_data or "")


def reported(server: RunningServer, job: str) -> int:
    """How many results there are for a job."""
    return sum(len(variable["results"]["nodes"]) for variable in variables_of(server, job))


async def test_it_says_whose_work_it_is_and_what_for_before_anything_runs(
    chromium: Browser, server: RunningServer, pictures: Path
) -> None:
    add_job(server, "Square", SQUARE, range(3), metadata=ADA)
    add_job(server, "Slow", SLOW, [1], metadata={"owner": "Grace"})
    context = await chromium.new_context(locale="es-MX")
    try:
        volunteer = await Volunteer.visit(context, server)
        page = volunteer.page
        assert "2 jobs of Ada and Grace" in await page.locator("#promise").inner_text()
        square = page.get_by_role("listitem").filter(has=page.get_by_text("Square", exact=True))
        assert await square.locator(".purpose").inner_text() == "Cuadrados de números."
        assert await square.locator(".hash").inner_text() == hashlib.sha256(SQUARE.encode()).hexdigest()
        await square.get_by_text("View source").click()
        await square.get_by_text("Checked: this text has the SHA-256 above.").wait_for()
        assert await square.locator("pre").inner_text() == SQUARE
        assert await page.locator("iframe").count() == 0
        assert server.tasks()["leased"] == 0
        await page.screenshot(path=pictures / "volunteer-before.png", full_page=True)
        assert volunteer.complaints == []
    finally:
        await context.close()


async def test_it_computes_and_shows_what_became_of_it(
    context: BrowserContext, server: RunningServer, pictures: Path
) -> None:
    square = add_job(server, "Square", SQUARE, range(10), metadata=ADA)
    slow = add_job(server, "Slow", SLOW, [3000], metadata=ADA)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: volunteer.page.locator("#tasks li", has_text="Slow").count(), "the slow task")
    assert await volunteer.page.get_by_role("progressbar", name="Progress of Slow").count() == 1
    await until(lambda: server.counts(square)["done"] == 10, "the squares")
    await until(lambda: server.counts(slow)["done"] == 1, "the slow one")
    assert {each["value"]: each["canonicalResult"] for each in variables_of(server, square)} == {
        value: {"value": value * value, "context": {}} for value in range(10)
    }
    await until(lambda: figure_is(volunteer, "Validated", "11"), "the credit")
    assert await volunteer.figure("Computed") == "11"
    assert float((await volunteer.figure("Time given")).split()[0]) >= 3
    assert await volunteer.page.locator("#verdicts").get_by_text("accepted as the result").count() == 8
    await until(lambda: says(volunteer, "Everything is computed or being computed."), "why there is no work")
    await volunteer.page.screenshot(path=pictures / "volunteer-after.png", full_page=True)
    host = await volunteer.page.locator("#host").inner_text()
    key = host.removeprefix("the volunteer ")
    assert server.ask("query($key: String!) { host(key: $key) { valid name } }", key=key)["host"] == {
        "valid": 11,
        "name": "browser",
    }
    assert volunteer.complaints == []


async def test_verdicts_come_when_others_have_voted(context: BrowserContext, server: RunningServer) -> None:
    add_job(server, "Square", SQUARE, [7], policy={"quorum": 2})
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await volunteer.page.locator("#verdicts").get_by_text("waits for votes").wait_for()
    await until(lambda: says(volunteer, "What is left needs the votes of other volunteers"), "why there is no work")
    claimed = server.ask(CLAIM, input={"first": 1})["claimTasks"]
    [task] = claimed["tasks"]
    vote = {"task": task["id"], "lease": task["lease"]["token"], "value": 49, "context": {}}
    server.ask(SUBMIT, input={"host": claimed["host"], "results": [vote]})
    await volunteer.page.locator("#verdicts").get_by_text("accepted").wait_for()


async def test_what_a_job_throws_is_reported(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Broken", "() => { throw new RangeError('too far'); }", [1], policy={"maxErrors": 1})
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["failed"] == 1, "the failure")
    assert variables_of(server, job)[0]["results"]["nodes"][0]["error"] == "RangeError: too far"
    await volunteer.page.locator("#verdicts").get_by_text("turned down").wait_for()


async def test_what_is_left_out_is_not_computed_and_stays_left_out(
    context: BrowserContext, server: RunningServer
) -> None:
    jobs = {
        name: add_job(server, name, SQUARE, range(3), metadata={"owner": owner})
        for name, owner in (("Wanted", "Ada"), ("Unwanted", "Ada"), ("Of another", "Grace"))
    }
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.page.get_by_role("checkbox", name="Unwanted").uncheck()
    await volunteer.page.get_by_role("checkbox", name="Grace").uncheck()
    await volunteer.page.reload()
    await volunteer.page.locator("#start:enabled").wait_for()
    assert not await volunteer.page.get_by_role("checkbox", name="Unwanted").is_checked()
    assert "1 job of Ada" in await volunteer.page.locator("#promise").inner_text()
    await volunteer.start()
    await until(lambda: server.counts(jobs["Wanted"])["done"] == 3, "what is wanted")
    await until(lambda: says(volunteer, "There is work, but none of what you chose."), "why there is no work")
    assert server.counts(jobs["Unwanted"])["open"] == server.counts(jobs["Of another"])["open"] == 3


async def test_it_takes_no_more_of_the_time_than_it_was_given(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Slow", SLOW, [200] * 100)
    volunteer = await Volunteer.visit(context, server, workers=1, share=20)
    await volunteer.start()
    await until(lambda: reported(server, job) >= 1, "the first result")
    before, began = reported(server, job), await volunteer.page.evaluate("performance.now()")
    await until(lambda: reported(server, job) >= before + 4, "more results")
    passed_ms = await volunteer.page.evaluate("performance.now()") - began
    # Four results take at least three times their 200 ms and the 800 ms of rest after each.
    assert passed_ms >= 3 * 1000 * 0.9


async def test_it_computes_as_many_at_once_as_it_may(context: BrowserContext, server: RunningServer) -> None:
    add_job(server, "Slow", SLOW, [3000] * 10)
    volunteer = await Volunteer.visit(context, server, workers=2, share=100)
    await volunteer.start()
    await until(lambda: says(volunteer, "Computing 2 tasks."), "two at once")
    await volunteer.page.get_by_label("Computations at the same time").fill("1")
    await until(lambda: says(volunteer, "Computing 1 task."), "one at once")


@pytest.mark.parametrize(
    ("choice", "circumstance", "words"),
    [
        (
            "batteryPauses",
            "navigator.getBattery = async () => ({ charging: false })",
            "Paused while the computer runs on battery.",
        ),
        (
            "hiddenPauses",
            "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })",
            "Paused while this tab is hidden.",
        ),
    ],
)
async def test_it_pauses(
    choice: str, circumstance: str, words: str, context: BrowserContext, server: RunningServer
) -> None:
    job = add_job(server, "Square", SQUARE, range(3))
    await context.add_init_script(circumstance)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST, batteryPauses=False, hiddenPauses=False)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "work while nothing pauses")
    label = {"batteryPauses": "runs on battery", "hiddenPauses": "tab is hidden"}[choice]
    await volunteer.page.get_by_label(label).check()
    await until(lambda: says(volunteer, words), "the pause")
    late = add_job(server, "Late", SQUARE, range(3))
    assert await volunteer.page.get_by_role("button", name="Stop computing").is_visible()
    await volunteer.page.get_by_label(label).uncheck()
    await until(lambda: server.counts(late)["done"] == 3, "work after the pause")


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


async def test_a_source_that_is_not_what_its_sha256_says_is_not_run(
    context: BrowserContext, server: RunningServer
) -> None:
    job = add_job(server, "Square", SQUARE, range(3))

    async def forge(route: Route) -> None:
        response = await route.fetch()
        text = await response.text()
        await route.fulfill(response=response, body=text.replace("variable * variable", "variable + 1"))

    await context.route("**/graphql", forge)
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.page.get_by_text("View source").click()
    await volunteer.page.locator(".checked", has_text="not the one that its SHA-256 names").wait_for()
    await volunteer.start()
    await until(volunteer.notes, "a remark")
    assert "Square is not computed here any more" in await volunteer.notes()
    await until(lambda: server.tasks()["ready"] == 3, "the tasks to be free again")
    assert reported(server, job) == 0


async def test_it_outlives_a_restart_of_the_server(context: BrowserContext, tmp_path: Path) -> None:
    with running_server(tmp_path / "pool") as server:
        job = add_job(server, "Slow", SLOW, [100] * 60)
        volunteer = await Volunteer.visit(context, server, **LIGHTEST)
        await volunteer.start()
        await until(lambda: server.counts(job)["done"] >= 3, "some results")
        port = server.port
    await until(lambda: says(volunteer, "The pool is away"), "word of the pool's absence", 60)
    with running_server(tmp_path / "pool", port=port) as server:
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


async def test_a_pool_that_forgot_this_host_gets_a_new_one(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Square", SQUARE, range(3))
    await context.add_init_script("try { localStorage['comp-pool.host'] ??= 'a-host.of-another-pool' } catch {}")
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "results")


async def test_the_keyboard_is_enough(context: BrowserContext, server: RunningServer) -> None:
    add_job(server, "Slow", SLOW, [60_000])
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    page = volunteer.page
    focused = "document.activeElement.id"
    for _ in range(5):
        await page.keyboard.press("Tab")
        if await page.evaluate(focused) == "start":
            break
    await page.keyboard.press("Enter")
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    assert await page.evaluate(focused) == "stop"
    await page.keyboard.press("Space")
    await page.locator("#start:visible").wait_for()
    assert await page.evaluate(focused) == "start"


@pytest.mark.parametrize("width", [360, 1280])
async def test_it_is_for_everybody_on_any_screen(
    width: int, chromium: Browser, server: RunningServer, axe: str, pictures: Path
) -> None:
    add_job(server, "Square", SQUARE, range(5), metadata=ADA)
    context = await chromium.new_context(viewport={"width": width, "height": 800})
    try:
        volunteer = await Volunteer.visit(context, server, **LIGHTEST)
        page = volunteer.page
        await page.get_by_text("View source").first.click()
        assert await violations(page, axe) == []
        await volunteer.start()
        await page.locator("#verdicts").get_by_text("accepted as the result").first.wait_for()
        add_job(server, "Averylongnamewithoutanyspacewhatsoever" * 3, SLOW, [60_000], metadata={"owner": "Grace"})
        await until(lambda: says(volunteer, "Computing 1 task."), "a task")
        assert await violations(page, axe, pictures / f"volunteer-{width}") == []
    finally:
        await context.close()


async def test_it_is_light_and_asks_nobody_else(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Square", SQUARE, range(3))
    page = await context.new_page()
    sizes: dict[str, int] = {}
    elsewhere: list[str] = []
    policies: list[str] = []

    async def note(route: Route) -> None:
        if not route.request.url.startswith(server.url):
            elsewhere.append(route.request.url)
        response = await route.fetch()
        sizes[route.request.url] = len(await response.body())
        policies.append(response.headers.get("content-security-policy", ""))
        await route.fulfill(response=response)

    await page.route(lambda url: "/graphql" not in url and not url.startswith("blob:"), note)
    volunteer = Volunteer(page, server.url)
    await volunteer.open()
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "results")
    assert any(url.endswith("/sandbox.html") for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES
    assert elsewhere == []
    assert all("default-src 'none'" in policy and "unsafe-inline" not in policy for policy in policies)
    assert "unsafe-eval" not in policies[0]
    assert volunteer.complaints == []


async def says(volunteer: Volunteer, words: str) -> bool:
    return words in await volunteer.status()


async def figure_is(volunteer: Volunteer, name: str, value: str) -> bool:
    return await volunteer.figure(name) == value

"""The volunteer page against a real pool, in a real browser: what it shows, and what it computes."""

import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Route

from tests.pages.hand import CLAIM, SUBMIT
from tests.pages.jobs import SLOW, SQUARE, add_job, reported, variables_of
from tests.pages.volunteer import LIGHTEST, Volunteer, figure_is, says, until
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = {"owner": "Ada", "description": {"en": "Squares of numbers.", "es": "Cuadrados de números."}}


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

"""Jobs that try to get out of the volunteer page's sandbox. None reaches the network, the pool, or the page."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Playwright

from tests.chromium import BROWSER, launch
from tests.pages.canary import DOMAIN, Canary, listening_canary, logged
from tests.pages.escapes import FIRST_WALL, REACH, SECOND_WALL
from tests.pages.jobs import ENDLESS, SLOW, SQUARE, add_job, variables_of
from tests.pages.volunteer import Volunteer, says, until
from tests.processes import RunningServer, command_line, descendants
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

# It takes its processor time however little of it the machine gives in a second.
SPIN = "let x = 1; for (let i = 0; i < variable; i++) x = Math.imul(x, 7) + i | 0; return {...context, result: x};"
HEAP_BOMB = "() => { const all = []; for (;;) all.push(new Array(1e5).fill({})); }"
SMALL_HEAP = "--js-flags=--max-old-space-size=150"

# A frame as the page makes it, whose worker runs the attack in the place of the page's own script.
ATTACK = """async ([attack, ...places]) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.src = "/assets/volunteer/sandbox.html";
  const { port1, port2 } = new MessageChannel();
  const text = `const [ADDRESS, OWN, NAME] = ${JSON.stringify(places)};
    onmessage = async ({ ports: [port] }) => {
      let said = "got out";
      try { ${attack} } catch (problem) { said = "refused: " + (problem?.name ?? problem?.type ?? problem?.data); }
      port.postMessage([0, said]);
    };`;
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => Array.isArray(data) && resolve(data[1]);
  });
  frame.onload = () => {
    frame.contentWindow.postMessage([text], "*", [port2]);
    port1.postMessage({});
  };
  document.body.append(frame);
  const silence = new Promise((resolve) => setTimeout(resolve, 5000, "refused: silence"));
  try { return await Promise.race([answer, silence]); } finally { frame.remove(); }
}"""


@dataclass
class Watched:
    """A browser whose network is logged, and what listens outside of it."""

    browser: Browser
    net_log: Path
    canary: Canary

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.canary.port}/escape-{name.replace(' ', '-')}"


@pytest.fixture(scope="module")
def quiet_server() -> Iterator[RunningServer]:
    """A pool whose jobs are all done, but for the one that a test adds."""
    with warm_server("memory") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    net_log = tmp_path_factory.mktemp("net") / "log.json"
    browser = await launch(playwright, f"--log-net-log={net_log}", program=BROWSER)
    async with listening_canary() as canary:
        yield Watched(browser, net_log, canary)
    await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(watched: Watched, quiet_server: RunningServer) -> AsyncIterator[Page]:
    """The volunteer page, not started."""
    context = await watched.browser.new_context()
    volunteer = await Volunteer.visit(context, quiet_server)
    yield volunteer.page
    await context.close()


@pytest.mark.parametrize("escape", FIRST_WALL)
async def test_a_job_finds_no_way_out_by(escape: str, watched: Watched, quiet_server: RunningServer) -> None:
    source = f"async function job(variable, context) {{ const ADDRESS = variable; {REACH} {FIRST_WALL[escape]}; "
    job = add_job(quiet_server, escape, f"{source} return {{ ...context, result: got }}; }}", [watched.url(escape)])
    context = await watched.browser.new_context()
    try:
        volunteer = await Volunteer.visit(context, quiet_server)
        await volunteer.start()
        [variable] = await until(
            lambda: [each for each in variables_of(quiet_server, job) if is_decided(each)], "a result"
        )
        assert variable["results"]["nodes"][0]["error"] is None
        assert variable["canonicalResult"]["value"] == []
        assert len(context.pages) == 1
        assert volunteer.page.url == f"{quiet_server.url}/volunteer"
        assert watched.canary.heard == []
    finally:
        await context.close()


def is_decided(variable: dict[str, Any]) -> bool:
    """Whether it has its result, or a computation failed: what was just stored has no verdict yet."""
    return bool(variable["canonicalResult"] or any(each["error"] for each in variable["results"]["nodes"]))


async def test_what_is_there_is_found(watched: Watched, quiet_server: RunningServer) -> None:
    """The control of the tests above: these routes do lead to globals."""
    source = f'async (variable, context) => {{ {REACH} await reach("Math"); return {{ ...context, result: got }}; }}'
    job = add_job(quiet_server, "control", source, [1])
    context = await watched.browser.new_context()
    try:
        volunteer = await Volunteer.visit(context, quiet_server)
        await volunteer.start()
        await until(lambda: quiet_server.counts(job)["done"], "a result")
        assert variables_of(quiet_server, job)[0]["canonicalResult"]["value"] == ["Math by route 0"]
    finally:
        await context.close()


@pytest.mark.parametrize("escape", SECOND_WALL)
async def test_the_frame_by_itself_holds_back(
    escape: str, watched: Watched, page: Page, quiet_server: RunningServer
) -> None:
    own = f"{quiet_server.url}/escape-{escape.replace(' ', '-')}"
    said = await page.evaluate(ATTACK, [SECOND_WALL[escape], watched.url(escape), own, f"escape.{DOMAIN}"])
    assert str(said).startswith("refused")
    assert watched.canary.heard == []


async def test_the_frame_lets_harmless_code_run(page: Page) -> None:
    """The control of the tests above: what is refused there is not refused for some other reason."""
    assert await page.evaluate(ATTACK, ["await new Blob(['x']).text();", "", "", ""]) == "got out"


async def test_nobody_else_can_give_the_page_results(watched: Watched, server: RunningServer) -> None:
    job = add_job(server, "Endless", ENDLESS, [1])
    context = await watched.browser.new_context()
    try:
        volunteer = await Volunteer.visit(context, server)
        await volunteer.start()
        # Its frame must have got the script by now: to the frame, what this test says comes from the page.
        await until(lambda: [each for each in volunteer.page.workers if each.url.startswith("blob:")], "a computation")
        await volunteer.page.evaluate("""() => {
          const text = 'returned\\n{"result":666}';
          for (const said of [[1, text], { task: "x", result: 666 }, text])
            for (const target of [window, ...Array.from(document.querySelectorAll("iframe"), (f) => f.contentWindow)])
              target.postMessage(said, "*", [new MessageChannel().port1]);
        }""")
        await volunteer.stop()
        assert variables_of(server, job)[0]["results"]["nodes"] == []
        assert await volunteer.figure("Computed") == "0"
        assert volunteer.complaints == []
    finally:
        await context.close()


async def test_a_job_without_end_is_ended_and_reported_as_an_error(watched: Watched, server: RunningServer) -> None:
    policy = {"delayBoundSeconds": 2, "maxErrors": 1}
    endless = add_job(server, "Endless", ENDLESS, [1], policy=policy)
    context = await watched.browser.new_context()
    try:
        volunteer = await Volunteer.visit(context, server, workers=1, share=100, patienceSeconds=2)
        await volunteer.start()
        await until(lambda: server.counts(endless)["failed"] == 1, "a report")
        [variable] = variables_of(server, endless)
        assert [result["error"] for result in variable["results"]["nodes"]] == ["it did not answer within 2 s"]
        square = add_job(server, "Square", SQUARE, range(3))
        await until(lambda: server.counts(square)["done"] == 3, "the same page to go on")
    finally:
        await context.close()


async def test_a_job_that_eats_memory_leaves_the_page_alive(playwright: Playwright, server: RunningServer) -> None:
    bomb = add_job(server, "Bomb", HEAP_BOMB, [1], policy={"maxErrors": 1})
    browser = await launch(playwright, SMALL_HEAP, program=BROWSER)
    try:
        context = await browser.new_context()
        volunteer = await Volunteer.visit(context, server, workers=1, share=100)
        # Playwright takes a frame's end for the page's; the protocol itself does not.
        session = await context.new_cdp_session(volunteer.page)
        await volunteer.start()
        [variable] = await until(
            lambda: [each for each in variables_of(server, bomb) if each["state"] == "FAILED"], "a report", 60
        )
        assert "out of memory" in variable["results"]["nodes"][0]["error"]
        square = add_job(server, "Square", SQUARE, range(3))
        await until(lambda: server.counts(square)["done"] == 3, "the same page to go on", 60)
        shown = await session.send("Runtime.evaluate", {"expression": "document.querySelector('h1').textContent"})
        assert "Lend this pool" in shown["result"]["value"]
    finally:
        await browser.close()


async def test_a_neighbour_of_a_job_that_eats_memory_is_not_blamed(
    playwright: Playwright, server: RunningServer
) -> None:
    bomb = add_job(server, "Bomb", HEAP_BOMB, [1], policy={"maxErrors": 1})
    slow = add_job(server, "Slow", SLOW, [6000])
    browser = await launch(playwright, SMALL_HEAP, program=BROWSER)
    try:
        volunteer = await Volunteer.visit(await browser.new_context(), server, workers=2, share=100)
        await volunteer.start()
        await until(lambda: server.counts(bomb)["failed"] == 1, "the blame", 90)
        await until(lambda: server.counts(slow)["done"] == 1, "the neighbour's result", 90)
        assert [each["error"] for each in variables_of(server, slow)[0]["results"]["nodes"]] == [None]
    finally:
        await browser.close()


async def test_a_job_is_not_blamed_for_a_machine_that_is_too_busy(
    playwright: Playwright, server: RunningServer
) -> None:
    spin = add_job(server, "Spin", SPIN, [1e9], policy={"maxErrors": 1})
    browser = await launch(playwright, program=BROWSER)
    try:
        volunteer = await Volunteer.visit(await browser.new_context(), server, workers=1, share=100)
        frames = volunteer.page.locator("iframe")
        await volunteer.start()
        await until(lambda: says(volunteer, "Computing 1 task."), "a task")
        # What the page itself used to get there is not counted.
        used = {each.pid: used_s(each) for each in renderers()}
        [busy] = await until(
            lambda: [each for each in renderers() if used_s(each) - used.get(each.pid, 0) > 1], "a computation"
        )
        busy.suspend()
        try:
            await until(lambda: has_count(frames, 2), "another frame to compare with", 60)
        finally:
            busy.resume()
        await until(lambda: server.counts(spin)["done"] == 1, "the result")
        assert [each["error"] for each in variables_of(server, spin)[0]["results"]["nodes"]] == [None]
        await until(lambda: has_count(frames, 1), "the other frame to be gone")
    finally:
        await browser.close()


def renderers() -> list[psutil.Process]:
    """The processes in which this test's browsers show pages and frames."""
    return [each for each in descendants(os.getpid()) if "--type=renderer" in command_line(each)]


def used_s(process: psutil.Process) -> float:
    """The processor time that a process has used."""
    try:
        return float(process.cpu_times().user)
    except psutil.NoSuchProcess:
        return 0.0


async def has_count(locator: Locator, number: int) -> bool:
    return await locator.count() == number


async def test_the_browser_itself_saw_no_escape(watched: Watched, page: Page) -> None:
    """Comes last: the log of all tests above is complete once the browser has ended."""
    control = await watched.browser.new_page()
    await control.goto(f"http://127.0.0.1:{watched.canary.port}/control")
    await control.evaluate(f"fetch('http://control.{DOMAIN}/').catch(() => 0)")
    await until(lambda: "GET /control HTTP/1.1\r\n" in watched.canary.heard, "the control")
    await asyncio.gather(control.close(), page.context.close())
    await watched.browser.close()
    seen = logged(watched.net_log)
    assert "/control" in seen
    assert f"control.{DOMAIN}" in seen
    assert "/volunteer" in seen
    assert "escape" not in seen

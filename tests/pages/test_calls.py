"""The volunteer page's calls of jobs' functions, in its own sandbox."""

import json

import pytest
from playwright.async_api import BrowserContext

from tests import calls
from tests.pages.volunteer import Volunteer
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL_ALL = """async (cases) => {
  const { Cell, workerScript } = await import("/assets/volunteer/cell.js");
  const cell = new Cell(document.body, await workerScript());
  const { signal } = new AbortController();
  const outcomes = {};
  for (const { name, source, variable = null, context = {} } of cases) {
    outcomes[name] = await cell.compute(source, [variable, context], 30_000, signal);
  }
  cell.close();
  return JSON.stringify(outcomes);
}"""


async def test_a_call_gives_what_the_table_says(context: BrowserContext, shared_server: RunningServer) -> None:
    volunteer = await Volunteer.visit(context, shared_server)
    outcomes = json.loads(await volunteer.page.evaluate(CALL_ALL, list(calls.CASES.values())))
    calls.assert_all_hold(outcomes)

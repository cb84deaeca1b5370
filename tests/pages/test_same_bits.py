"""A browser's page and a native volunteer compute the same bits."""

import asyncio

import pytest
from playwright.async_api import BrowserContext

from tests.pages.jobs import add_job
from tests.pages.volunteer import LIGHTEST, Volunteer, until
from tests.processes import RunningServer, run

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Every function of Math that engines compute in ways of their own, over a thousand arguments that differ by variable.
SOURCE = """(variable, context) => {
  const names = ["exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "atan2", "pow", "hypot"];
  const sums = names.map((name) => {
    let sum = 0;
    for (let at = 1; at <= 1000; at++) {
      const argument = (at * (variable + 1)) / 1000.7;
      const found = Math[name](argument % (name === "acosh" ? 50 : 1) + (name === "acosh" ? 1 : 0), 0.3 + at / 700);
      if (Number.isFinite(found)) sum += found;
    }
    return sum;
  });
  return { ...context, result: [...sums, (sums[0] / 7).toString(36)] };
}"""


async def test_a_page_and_a_native_volunteer_agree_on_every_function_of_math(
    context: BrowserContext, server: RunningServer
) -> None:
    job = add_job(server, "Bits", SOURCE, range(20), policy={"quorum": 2})
    native = await asyncio.to_thread(run, "work", server.url, "--until-idle")
    assert native.returncode == 0, native.stderr
    assert server.counts(job)["done"] == 0
    page = await Volunteer.visit(context, server, **LIGHTEST)
    await page.start()
    await until(lambda: server.counts(job)["done"] == 20, "all results to agree")
    assert server.counts(job)["failed"] == 0

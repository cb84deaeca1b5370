"""The npm package's calls of jobs' functions, in node and in a browser, and those of the worker script."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import httpx
import pytest
from playwright.async_api import Page

from sandbox import Sandbox
from tests import calls
from tests.client.conftest import HERE
from tests.client.test_worker_script import variable

CALL_ALL = """async (cases) => {
  const { compute } = await import("/computing.js");
  const outcomes = {};
  for (const { name, body, variable = null, context = {} } of cases) {
    const task = { variable, context, job: { policy: { delayBoundSeconds: 60 } } };
    const { value, context: rest, error } = await compute(task, { executeBody: body });
    outcomes[name] = { value, context: rest, error };
  }
  return JSON.stringify(outcomes);
}"""
RUN_ALL = """async (urls) => {
  const outcomes = {};
  for (const [name, url] of Object.entries(urls)) {
    const worker = new Worker(url);
    outcomes[name] = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data: { result, ...rest } }) => resolve({ value: result, ...rest });
      worker.onerror = (problem) => reject(new Error(`${name}: ${problem.message}`));
    });
    worker.terminate();
  }
  return JSON.stringify(outcomes);
}"""


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """The table's, each with the `body` that the pool makes of its source."""

    async def bodied() -> list[dict[str, Any]]:
        async with Sandbox(workers=1, spares=0) as sandbox:
            return [
                {**case, "body": (await sandbox.inspect(case["source"], ("variable", "context"))).body}
                for case in calls.CASES.values()
            ]

    return asyncio.run(bodied())


def test_a_call_in_node_gives_what_the_table_says(cases: list[dict[str, Any]], node_modules: object) -> None:
    command = ["node", "--no-warnings", str(HERE / "walks" / "calls.mjs")]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    calls.assert_all_hold(json.loads(done.stdout))


async def test_a_call_in_a_browser_gives_what_the_table_says(cases: list[dict[str, Any]], elsewhere: Page) -> None:
    calls.assert_all_hold(json.loads(await elsewhere.evaluate(CALL_ALL, cases)))


async def test_a_worker_of_the_script_posts_what_the_table_says(client: httpx.AsyncClient, page: Page) -> None:
    urls = {
        name: f"{await variable(client, f'Call {at}', case['source'], case.get('variable'))}.js"
        for at, (name, case) in enumerate(calls.FRESH.items())
    }
    calls.assert_all_hold(json.loads(await page.evaluate(RUN_ALL, urls)), calls.FRESH)

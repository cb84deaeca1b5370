"""The package's clients in a real browser, in pages of another origin than the pool's."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.async_api import Page

from tests.client.conftest import SOURCES
from tests.client.test_worker_script import ATTEMPTS, trap, variable

ANGULAR = [
    "angular/angular.js",
    "mediatype-parser/dist/mediatype-parser-browser.js",
    "linkheader-parser/dist/linkheader-parser-browser.js",
    "uri-templates/uri-templates.js",
    "angular-hypermedia/dist/hypermedia.js",
]


async def test_angular_injects_the_service_whose_calls_chain(
    client: httpx.AsyncClient, elsewhere: Page, node_modules: Path, pool_url: str
) -> None:
    for script in ANGULAR:
        await elsewhere.add_script_tag(path=node_modules / script)
    await elsewhere.add_script_tag(path=SOURCES / "legacy.cjs")
    told = await elsewhere.evaluate(
        """url => new Promise((resolve, reject) => {
          angular.module('app', ['CompPoolClient']).constant('compPoolRoot', url);
          angular.injector(['ng', 'app']).invoke(['compPoolClient', compPoolClient => {
            compPoolClient.getJobsRoot().getJob('doubler').getVariablesRoot().getVariable('v40').compute()
              .saveResult({ asVariableToo: true })
              .then(resolve, reject);
          }]);
        })""",
        pool_url,
    )
    assert (await client.get(told["result"])).json()["result"] == 80
    assert (await client.get(told["variable"])).json()["variable"] == 80


async def test_the_client_of_today_claims_computes_and_submits(elsewhere: Page, pool_url: str) -> None:
    submitted = await elsewhere.evaluate(
        """async url => {
          const { Pool } = await import('/pool.js');
          const pool = new Pool(url);
          const { tasks: [task] } = await pool.claim({ jobs: ['doubler'] });
          return pool.submit(await pool.compute(task));
        }""",
        pool_url,
    )
    assert submitted["userErrors"] == []
    assert [result["verdict"] for result in submitted["results"]] == ["CANONICAL"]


COMPUTE = """async ([url, job, limits]) => {
  const { Pool } = await import('/pool.js');
  const pool = new Pool(url);
  const { tasks: [task] } = await pool.claim({ jobs: [job] });
  const { value, error } = await pool.compute(task, limits);
  return { value, error, frames: document.querySelectorAll('iframe').length };
}"""


async def test_what_the_client_of_today_computes_reaches_nothing(
    client: httpx.AsyncClient, elsewhere: Page, pool_url: str
) -> None:
    async with trap() as (address, seen):
        await variable(client, "Curious guest", ATTEMPTS, {"trap": address})
        outcome = await elsewhere.evaluate(COMPUTE, [pool_url, "curious-guest", {}])
        assert outcome["value"] == dict.fromkeys(outcome["value"], "refused")
        assert len(outcome["value"]) == 8
        assert seen == []


async def test_what_the_client_of_today_computes_can_be_stopped(
    client: httpx.AsyncClient, elsewhere: Page, pool_url: str
) -> None:
    await variable(client, "Endless", "() => { for (;;); }", 1)
    outcome = await elsewhere.evaluate(COMPUTE, [pool_url, "endless", {"timeoutMilliseconds": 200}])
    assert outcome == {"value": None, "error": "stopped after 200 ms", "frames": 0}


async def test_the_client_of_today_watches_a_flow_to_its_end(elsewhere: Page, pool_url: str) -> None:
    states = await elsewhere.evaluate(
        """async url => {
          const { Pool } = await import('/pool.js');
          const pool = new Pool(url);
          const flow = await pool.submitFlow({ jobs: [{ job: 'doubler', variable: 'v3' }] });
          const states = [];
          const watching = (async () => {
            for await (const { state } of flow.watch()) states.push(state);
          })();
          const { tasks } = await pool.claim({ jobs: ['doubler'] });
          await pool.submit(await Promise.all(tasks.map(task => pool.compute(task))));
          await watching;
          return states;
        }""",
        pool_url,
    )
    assert states[-1] == "COMPLETED"

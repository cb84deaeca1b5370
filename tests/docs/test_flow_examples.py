"""The worked examples of docs/flows.md, run from the page's own text by a real volunteer."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from comp_pool import PoolClient
from comp_pool.flows import read_flow
from comp_pool.loading import Loader, read_workload
from server.app import Service, application
from server.settings import Settings
from volunteer import Options, Volunteer, forgotten

PAGE = Path(__file__).parents[2] / "docs" / "flows.md"
SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"^```(?:yaml|json) (jobs|flow|result)$\n(.*?)^```$", re.M | re.S)
[HISTORY] = re.findall(r"^```graphql$\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
DEADLINE_S = 120.0

SUBMIT = """mutation ($input: SubmitFlowInput!) {
  submitFlow(input: $input) { flow { key } userErrors { field message code } }
}"""
FLOW = "query ($key: String!) { flow(key: $key) { state reason result } }"


def examples() -> list[Any]:
    """What the page's sections show: jobs, a flow over them, and its result."""
    found = []
    for title, text in SECTION.findall(PAGE.read_text(encoding="utf-8")):
        if blocks := dict(BLOCK.findall(text)):
            found.append(pytest.param(blocks, id=title))
    return found


def test_the_page_has_three_whole_examples() -> None:
    assert [set(each.values[0]) for each in examples()] == [{"jobs", "flow", "result"}] * 3


@pytest.mark.parametrize("example", examples())
async def test_an_example_of_the_page_ends_with_the_result_that_stands_there(example: dict[str, str]) -> None:
    settings = Settings(database="mock", sandbox_workers=1)
    service = Service(settings)
    async with service.running():
        transport = httpx.ASGITransport(application(service, settings))
        async with PoolClient("http://pool", transport=transport) as client:
            await Loader(client, patience_s=0).load(read_workload("docs/flows.md", example["jobs"], PAGE.parent))
            flow = (await client.mutate(SUBMIT, **read_flow("docs/flows.md", example["flow"])))["flow"]
            ended = await asyncio.wait_for(_compute(client, flow["key"]), DEADLINE_S)
            told = (await client.call(HISTORY, key=flow["key"]))["flow"]["nodes"]["nodes"]
    results = [run["results"] for job in told for run in job["runs"]["nodes"] if job["state"] == "COMPLETED"]
    assert results
    assert all([each["verdict"] for each in run] == ["CANONICAL"] for run in results)
    assert ended == {"state": "COMPLETED", "reason": None, "result": json.loads(example["result"])}


async def _compute(client: PoolClient, key: str) -> dict[str, Any]:
    """The flow once it has ended, with a volunteer at work."""
    stop = asyncio.Event()
    volunteer = Volunteer(client, forgotten(), Options(longest_wait_s=0.1), tell=lambda _: None)
    work = asyncio.create_task(volunteer.run(stop))
    try:
        while True:
            flow: dict[str, Any] = (await client.call(FLOW, key=key))["flow"]
            if flow["state"] in ("COMPLETED", "FAILED", "CANCELLED"):
                return flow
            await asyncio.sleep(0.05)
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await work

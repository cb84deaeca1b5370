"""What a server does for clients that read slowly: next to nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from comp_pool import PoolClient
from resolvers.flows.poller import FlowPoller
from resolvers.volunteers.claims import ClaimRequest, claim
from resolvers.volunteers.reports import Report, submit
from server.app import Service, application
from server.settings import Settings
from tests.server.connection import PATIENCE_S, Connection
from tests.volunteer.work import CREATE_JOB, CREATE_VARIABLES

JOBS = 40
PROGRESS = """subscription Progress($id: ID!) {
  flowProgress(id: $id) { progress { byState { completed } } changed { number } }
}"""
SUBMIT = """mutation ($input: SubmitFlowInput!) {
  submitFlow(input: $input) { flow { key } userErrors { field message code } }
}"""


def by_websocket(variables: dict[str, Any]) -> Connection:
    payload = {"query": PROGRESS, "variables": variables}
    return Connection(
        {"type": "websocket", "headers": [], "subprotocols": ["graphql-transport-ws"], "scheme": "ws"},
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps({"type": "connection_init"})},
        {"type": "websocket.receive", "text": json.dumps({"id": "1", "type": "subscribe", "payload": payload})},
    )


def by_events(variables: dict[str, Any]) -> Connection:
    headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
    return Connection(
        {"type": "http", "method": "POST", "headers": headers, "scheme": "http", "http_version": "1.1"},
        {"type": "http.request", "body": json.dumps({"query": PROGRESS, "variables": variables}).encode()},
    )


@pytest.mark.parametrize("connection", [by_websocket, by_events])
async def test_while_a_client_does_not_read_nothing_is_read_or_kept_for_it(
    connection: Callable[[dict[str, Any]], Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database="mock", sandbox_workers=1)
    service = Service(settings)
    async with service.running() as runtime, asyncio.timeout(PATIENCE_S):
        app = application(service, settings)
        key = await _flow(app)
        reads = 0
        count_states = runtime.store.flow_jobs.count_states

        async def counted(where: dict[str, str]) -> dict[str, dict[str, int]]:
            nonlocal reads
            reads += 1
            return await count_states(where)

        monkeypatch.setattr(runtime.store.flow_jobs, "count_states", counted)
        client = connection({"id": key})
        async with client.to(app):
            await client.waits.wait()
            for _ in range(JOBS):
                [claimed] = (await claim(runtime, ClaimRequest("ann"))).tasks
                await submit(runtime, "ann", [Report(claimed.task.id, claimed.task.lease, 1)])
                runtime.part(FlowPoller).wake_all()
            # The one that it is about to be sent, and one more that is ready.
            assert reads <= 2
            client.read_on()
            await client.hears(f'"completed":{JOBS}')
        assert client.text().count("byState") <= 3


async def _flow(app: Any) -> str:
    async with PoolClient("http://pool.example", transport=httpx.ASGITransport(app)) as client:
        await client.mutate(CREATE_JOB, name="Work", executeFunction="(variable, context) => context")
        await client.mutate(CREATE_VARIABLES, job="work", variables=[{"id": "one", "value": 1}])
        jobs = [{"job": "work", "variable": "one"}] * JOBS
        key: str = (await client.mutate(SUBMIT, jobs=jobs))["flow"]["key"]
        return key

"""What the dashboard shows of a private job to a visitor who shows no token."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext

from tests.pages.dashboard import Dashboard
from tests.pages.jobs import SQUARE
from tests.processes import HTTP
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_visitor_is_told_that_a_job_is_private(context: BrowserContext) -> None:
    with warm_server("memory", options=("--auth", "tokens")) as server:
        header = {"authorization": f"Bearer {server.operator_token}"}
        for name, visibility in (("Open", "PUBLIC"), ("Secret", "PRIVATE")):
            body = {"name": name, "execute_function": SQUARE, "policy": {"visibility": visibility}}
            assert HTTP.post(f"{server.url}/jobs", json=body, headers=header).status_code == 201
            assert HTTP.post(f"{server.url}/jobs/{name.lower()}/variables?id=input", json=1).status_code == 201
        dashboard = await Dashboard.visit(context, server, "jobs/secret")
        await dashboard.sees("This job is private: only its owner and operators see its variables and results.")
        await dashboard.sees("its owner and operators")
        assert await dashboard.page.get_by_text("input", exact=True).count() == 0
        await dashboard.go("jobs/open")
        await dashboard.sees("everybody")
        await dashboard.page.get_by_text("input", exact=True).first.wait_for()
        assert await dashboard.page.get_by_text("This job is private").count() == 0
        assert dashboard.complaints == []

"""The script that computes a variable, and the addresses it takes from ids."""

from __future__ import annotations

import pytest

from tests.contract.scenario import Job, links


async def test_worker_script_is_served_for_its_type_and_at_its_own_address(job: Job, variable: str) -> None:
    linked = links(await job.client.get(variable))["alternate"]
    assert linked == {"href": f"{variable}.js", "type": "application/javascript"}
    scripts = [
        await job.client.get(linked["href"]),
        await job.client.get(variable, headers={"accept": "application/javascript"}),
        await job.client.get(variable, headers={"accept": "text/javascript"}),
        await job.client.get(variable, headers={"content-type": "application/javascript"}),
        await job.client.get(variable, headers={"content-type": "text/javascript"}),
    ]
    assert len({script.text for script in scripts}) == 1
    for script in scripts:
        assert script.status_code == 200
        assert script.headers["content-type"].split(";")[0] in ("application/javascript", "text/javascript")
        assert script.headers["x-content-type-options"] == "nosniff"
        policy = script.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'none'" in policy


@pytest.mark.parametrize("key", ["mine.js", ".", ".."])
async def test_worker_script_addresses_are_no_ids_of_variables(job: Job, key: str) -> None:
    answer = await job.client.post(f"{job.url}/variables", json=1, params={"id": key})
    assert answer.status_code == 422

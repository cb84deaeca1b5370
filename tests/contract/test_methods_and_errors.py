"""Lines 7 to 9 of the contract, over HTTP: methods, other origins, and errors."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.scenario import EXECUTE, INPUT, JSON, Job, every_url


async def test_line_07_options_answers_everywhere_with_a_true_allow(job: Job, variable: str) -> None:
    for url in [*await every_url(job), f"{job.root}/openapi.json", f"{job.root}/rels/cp/jobs", f"{job.url}/"]:
        answer = await job.client.options(url)
        assert answer.status_code == 200, url
        assert answer.headers["access-control-allow-origin"] == "*"
        allowed = set(answer.headers["allow"].split(", "))
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            refused = (await job.client.request(method, url)).status_code == 405
            assert refused == (method not in allowed), (method, url)


async def test_line_07_preflights_allow_what_clients_send(job: Job) -> None:
    asked = {"origin": "https://volunteer.example", "access-control-request-method": "POST"}
    answer = await job.client.options(f"{job.url}/variables", headers=asked)
    accepted = set(answer.headers["access-control-allow-headers"].lower().split(", "))
    assert accepted >= {"content-type", "accept", "authorization", "idempotency-key", "prefer", "if-none-match"}
    assert "POST" in answer.headers["access-control-allow-methods"]


async def test_line_07_responses_and_errors_are_open_to_scripts_of_other_origins(job: Job) -> None:
    for answer in (
        await job.client.get(job.url),
        await job.client.get("/nothing"),
        await job.client.put("/jobs"),
        await job.client.post("/jobs", content=b"{", headers=JSON),
        await job.client.post("/jobs", json={"name": "Seen", "execute_function": EXECUTE}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert exposed >= {"Location", "Link", "ETag", "Allow", "Retry-After", "Deprecation", "Sunset"}
        assert "Content-Location" in exposed


async def test_line_08_head_is_get_without_a_body(job: Job, variable: str) -> None:
    for url in await every_url(job):
        got = await job.client.get(url)
        head = await job.client.head(url)
        assert head.status_code == got.status_code, url
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("suffix", ["/", "//"])
async def test_line_08_trailing_slashes_are_answered(job: Job, variable: str, suffix: str) -> None:
    for url in (f"{job.root}/jobs", job.url, f"{job.url}/variables", variable, f"{variable}/results"):
        answer = await job.client.get(url + suffix)
        assert answer.status_code == 200
    made = await job.client.post(f"{job.url}/variables{suffix}", json=1)
    assert made.status_code == 201


async def test_line_09_errors_are_problems_that_old_readers_understand(job: Job, variable: str) -> None:
    strict = {"name": "Strict", "execute_function": EXECUTE, "validate_result": "(v, r, c) => c.phase === 'variable'"}
    await job.client.post("/jobs", json=strict)
    judged = await Job(job.client, "strict").variable(INPUT)
    no_job, no_variable = f"{job.root}/jobs/none", f"{job.url}/variables/none"
    expected = {
        404: [
            await job.client.get("/nothing"),
            await job.client.get(no_job),
            await job.client.get(f"{no_job}/variables"),
            await job.client.post(f"{no_job}/variables", json=1),
            await job.client.get(no_variable),
            await job.client.post(f"{no_variable}/results", json=1),
            await job.client.get(f"{no_variable}/results"),
            await job.client.get(f"{variable}/results/none"),
            await job.client.get(f"{job.root}/jobs/%00%ff"),
            await job.client.get(f"{job.url}/variables/%2e%2e%2f"),
            await job.client.get(f"{variable}/results/$ne"),
        ],
        400: [await job.client.post(f"{job.url}/variables", content=b"{", headers=JSON)],
        405: [await job.client.put("/jobs"), await job.client.delete("/jobs"), await job.client.post("/")],
        422: [
            await job.client.post(f"{judged}/results", json=1),
            await job.client.post("/jobs", json={"name": "Broken", "execute_function": "function ( {"}),
        ],
    }
    for status, answers in expected.items():
        for answer in answers:
            assert answer.status_code == status, answer.request.url
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
            assert problem["message"]
            assert problem["code"].isupper()
            assert "Traceback" not in answer.text
    assert all("allow" in answer.headers for answer in expected[405])
    assert expected[422][0].json()["code"] == "REJECTED"


@pytest.mark.parametrize("name", ["scheduled", "Scheduler", "SCHEDULED!"])
async def test_reserved_keys_are_refused_because_they_are_routes(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/jobs", json={"name": name, "execute_function": EXECUTE})
    assert answer.status_code == 422
    assert answer.json()["field"] == "name"

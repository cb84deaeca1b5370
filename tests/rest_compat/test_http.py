"""What the facade keeps of HTTP itself."""

import httpx
import pytest
from starlette.types import Message

from tests.rest_compat.small_pool.facade import facade_of
from tests.rest_compat.small_pool.types import Pool

PATHS = ["/", "/jobs", "/jobs/", "/jobs/pi", "/jobs/pi/", "/jobs/pi/variables/test_limit_case", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, variable: str, path: str) -> None:
    get, head = await client.get(path), await client.head(path)
    assert get.status_code == head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("path", PATHS)
async def test_options_says_what_is_allowed_to_anyone(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.options(path)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == answer.headers["allow"]
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))
    for name in ("content-type", "accept", "authorization", "idempotency-key", "prefer", "if-none-match"):
        assert name in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/jobs", "GET, HEAD, POST, OPTIONS"),
        ("/jobs/pi", "GET, HEAD, DELETE, OPTIONS"),
        ("/jobs/pi/variables/1/result", "POST, OPTIONS"),
        ("/jobs/pi/variables/1.js", "GET, HEAD, OPTIONS"),
    ],
)
async def test_another_method_is_told_what_is_allowed(client: httpx.AsyncClient, path: str, allow: str) -> None:
    answer = await client.request("PATCH", path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    assert (await client.options(path)).headers["allow"] == allow


@pytest.mark.parametrize("path", ["/", "/jobs/nothing", "/nowhere", "/broken"])
async def test_every_response_can_be_read_by_other_origins(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert {"Location", "Link", "ETag", "Allow", "Retry-After"} <= set(exposed.split(", "))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json, text/plain, */*", "application/json"),
        ("application/json", "application/json"),
        ("application/hal+json", "application/hal+json"),
        ("application/vnd.hal+json", "application/vnd.hal+json"),
        ("*/*", "application/hal+json"),
        ("", "application/hal+json"),
        ("application/*", "application/hal+json"),
        ("text/html, application/json;q=0.1, application/hal+json;q=0.5", "application/hal+json"),
        ("application/hal+json;q=0, */*", "application/json"),
    ],
)
async def test_one_document_under_many_types(
    client: httpx.AsyncClient, job: str, accept: str, content_type: str
) -> None:
    answer = await client.get(job, headers={"accept": accept})
    assert answer.headers["content-type"] == content_type
    assert answer.headers["vary"] == "Accept, Authorization"
    assert answer.content == (await client.get(job)).content


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0"])
async def test_a_type_that_there_is_not_is_refused(client: httpx.AsyncClient, job: str, accept: str) -> None:
    answer = await client.get(job, headers={"accept": accept})
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"


async def test_who_has_the_representation_gets_304(client: httpx.AsyncClient, job: str) -> None:
    etag = (await client.get(job)).headers["etag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await client.get(job, headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert (await client.get(job, headers={"if-none-match": '"other"'})).status_code == 200
    await client.delete(job)
    assert (await client.get(job, headers={"if-none-match": etag})).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/jobs/nothing",
        "/jobs/nothing/variables",
        "/jobs/pi/variables/nothing",
        "/jobs/pi/variables/nothing/results",
        "/jobs/pi/variables/test_limit_case/results/9",
        "/jobs/pi/variables/test_limit_case/results/nine",
        "/jobs//variables",
        "/jobs/%ff",
        "/rels/cp/nothing",
    ],
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, variable: str, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    problem = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "instance", "code", "message"}
    assert problem["code"] == "NOT_FOUND"
    assert problem["instance"] == path


async def test_a_query_parameter_of_the_wrong_type_is_named(client: httpx.AsyncClient) -> None:
    for query, name in (("first=x", "first"), ("first=0", "first"), ("last=-1", "last"), ("state=ON", "state")):
        answer = await client.get(f"/jobs?{query}")
        assert answer.status_code == 400
        assert answer.json()["field"] == name


async def test_a_fault_of_ours_tells_nothing(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "a secret of ours" in caplog.text


async def test_errors_say_when_or_how_to_come_again(client: httpx.AsyncClient) -> None:
    limited, anonymous = await client.get("/broken?how=limit"), await client.get("/broken?how=token")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_host_that_can_not_be_one_is_not_written_into_links(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"host": 'evil"><script>'})
    assert answer.status_code == 400


async def test_responses_link_to_their_description(client: httpx.AsyncClient, job: str) -> None:
    link = (await client.get(job)).headers["link"]
    assert '<http://pool.example/openapi.json>; rel="service-desc"' in link
    assert "#/components/schemas/Job>" in link


async def test_an_unknown_scheme_of_connection_is_closed(pool: Pool) -> None:
    sent = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await facade_of(pool)({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == ["websocket.close"]

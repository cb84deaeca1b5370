"""Sessions: opened with a token, shown as a cookie by the pool's own pages only, and ended at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.processes import RunningServer, running_server, until
from tests.warm_servers import warm_server

VIEWER = "{ viewer { account { key } scopes } }"
CREATE = 'mutation { createJob(input: {name: "%s", executeFunction: "x => x"}) { userErrors { code } } }'
SUBPROTOCOLS = [Subprotocol("graphql-transport-ws")]
FOREIGN = ["https://elsewhere.example", "http://127.0.0.1:1", "http://localhost", "null"]
FRIEND = "https://friend.example"
OPTIONS = ("--auth", "tokens", "--allowed-origins", FRIEND)


@pytest.fixture(scope="module")
def pool() -> Iterator[RunningServer]:
    with warm_server("memory", options=OPTIONS) as server:
        yield server


class Browser:
    """A page of the pool in a browser, which is signed in with a token."""

    def __init__(self, pool: RunningServer, token: str) -> None:
        self.url = pool.url
        self.http = httpx.Client(base_url=pool.url, headers={"origin": pool.url})
        self.opened = self.http.post("/session", json={"token": token})
        self.cookie = dict(self.opened.headers).get("set-cookie", "").partition(";")[0]

    def close(self) -> None:
        self.http.close()

    def ask(self, query: str, /, **headers: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.post("/graphql", json={"query": query}, headers=headers).json()
        return answer

    @property
    def account(self) -> str | None:
        found = self.ask(VIEWER)["data"]["viewer"]["account"]
        return found and str(found["key"])

    def creates(self, name: str, /, **headers: str) -> str:
        """What creating a job was refused with; empty: it was created."""
        answer = self.ask(CREATE % name, **headers)
        errors = answer.get("errors") or answer["data"]["createJob"]["userErrors"]
        return str(errors[0].get("code") or errors[0]["extensions"]["code"]) if errors else ""


Browse: TypeAlias = Callable[[RunningServer, str], Browser]


@pytest.fixture
def browse() -> Iterator[Browse]:
    with ExitStack() as browsers:
        yield lambda pool, token: browsers.enter_context(closing(Browser(pool, token)))


def as_operator(pool: RunningServer, query: str) -> dict[str, Any]:
    header = {"authorization": f"Bearer {pool.operator_token}"}
    answer: dict[str, Any] = httpx.post(f"{pool.url}/graphql", json={"query": query}, headers=header).json()["data"]
    return answer


def new_token(pool: RunningServer, scopes: str = "SUBMIT", **given: str) -> tuple[str, str]:
    """The key and the text of a token of the operator's account."""
    more = "".join(f", {name}: {json.dumps(value)}" for name, value in given.items())
    made = as_operator(
        pool, f'mutation {{ createToken(input: {{name: "x", scopes: [{scopes}]{more}}}) {{ token {{ key }} text }} }}'
    )["createToken"]
    return made["token"]["key"], made["text"]


def test_a_session_may_do_what_its_token_may_and_no_more(browse: Browse, pool: RunningServer) -> None:
    browser = browse(pool, new_token(pool)[1])
    assert browser.opened.status_code == 201
    assert browser.opened.json()["scopes"] == ["SUBMIT"]
    assert browser.opened.headers["cache-control"] == "no-store"
    assert browser.ask(VIEWER)["data"]["viewer"] == {"account": {"key": "operator"}, "scopes": ["SUBMIT"]}
    assert browser.creates("of a session") == ""
    assert browser.ask("{ accounts { nodes { key } } }")["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_session_lives_no_longer_than_its_token(browse: Browse, pool: RunningServer) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 600))
    opened = browse(pool, new_token(pool, expiresAt=f"{soon}Z")[1]).opened
    assert opened.json()["expiresAt"] == f"{soon}+00:00"
    attributes = opened.headers["set-cookie"].split("; ")
    assert 500 < next(int(each.partition("=")[2]) for each in attributes if each.startswith("Max-Age")) <= 600
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)


def test_a_session_makes_tokens_that_outlive_it(browse: Browse, pool: RunningServer) -> None:
    browser = browse(pool, new_token(pool)[1])
    made = browser.ask('mutation { createToken(input: {name: "laptop", scopes: [SUBMIT]}) { userErrors { code } } }')
    assert made["data"]["createToken"]["userErrors"] == []


@pytest.mark.parametrize("origin", [*FOREIGN, FRIEND])
def test_a_page_elsewhere_does_nothing_with_the_cookie(browse: Browse, pool: RunningServer, origin: str) -> None:
    browser = browse(pool, new_token(pool)[1])
    assert browser.creates("taken", origin=origin) in ("FORBIDDEN", "UNAUTHENTICATED")
    assert browser.ask(VIEWER, origin=origin)["data"]["viewer"]["account"] is None
    for method, path in (("POST", "/session"), ("DELETE", "/session")):
        answer = browser.http.request(method, path, json={"token": new_token(pool)[1]}, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        assert "set-cookie" not in answer.headers
    assert browser.account == "operator"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_elsewhere_reads_nothing_with_the_cookie(browse: Browse, pool: RunningServer, site: str) -> None:
    cookie = {"cookie": browse(pool, new_token(pool)[1]).cookie}
    read = {
        where: httpx.get(f"{pool.url}/graphql", params={"query": VIEWER}, headers=cookie | where_from).json()
        for where, where_from in {"own": {"sec-fetch-site": "same-origin"}, "other": {"sec-fetch-site": site}}.items()
    }
    assert read["own"]["data"]["viewer"]["account"] == {"key": "operator"}
    assert read["other"]["data"]["viewer"]["account"] is None


@pytest.mark.parametrize("origin", [*FOREIGN, FRIEND, None])
def test_a_websocket_from_elsewhere_is_refused_or_nobodys(
    browse: Browse, pool: RunningServer, origin: str | None
) -> None:
    browser = browse(pool, new_token(pool)[1])
    assert says_websocket(browser, pool.url) == {"account": {"key": "operator"}, "scopes": ["SUBMIT"]}
    if origin in FOREIGN:
        with pytest.raises(InvalidStatus, match="403"):
            says_websocket(browser, origin)
    else:
        assert says_websocket(browser, origin) == {"account": None, "scopes": []}


def says_websocket(browser: Browser, origin: str | None) -> dict[str, Any]:
    """Who asks over a WebSocket with the browser's cookie."""
    headers = {"Cookie": browser.cookie} | ({"Origin": origin} if origin else {})
    url = f"ws{browser.url.removeprefix('http')}/graphql"
    with connect(url, additional_headers=headers, subprotocols=SUBPROTOCOLS) as connection:
        connection.send(json.dumps({"type": "connection_init"}))
        assert json.loads(connection.recv(30))["type"] == "connection_ack"
        connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": VIEWER}}))
        viewer: dict[str, Any] = json.loads(connection.recv(30))["payload"]["data"]["viewer"]
        return viewer


def test_events_are_streamed_to_a_session(browse: Browse, pool: RunningServer) -> None:
    browser = browse(pool, new_token(pool)[1])
    headers = {"accept": "text/event-stream"}
    answer = browser.http.post("/graphql", json={"query": CREATE % "streamed"}, headers=headers)
    assert '"userErrors":[]' in answer.text


def test_rest_knows_no_session(browse: Browse, pool: RunningServer) -> None:
    browser = browse(pool, new_token(pool)[1])
    assert browser.http.post("/jobs", json={"name": "x", "execute_function": "x => x"}).status_code == 401


def test_signing_out_ends_the_session_and_not_the_token(browse: Browse, pool: RunningServer) -> None:
    key, token = new_token(pool)
    browser = browse(pool, token)
    answer = browser.http.delete("/session")
    assert (answer.status_code, browser.http.cookies.get("comp_pool_session")) == (204, None)
    browser.http.headers["cookie"] = browser.cookie
    assert browser.account is None
    assert browser.creates("late") == "UNAUTHENTICATED"
    assert browse(pool, token).account == "operator"
    assert key


@pytest.mark.parametrize("which", ["session", "token"])
def test_a_session_ends_with_its_token_or_when_it_is_revoked(browse: Browse, pool: RunningServer, which: str) -> None:
    key, token = new_token(pool)
    browser = browse(pool, token)
    ended = browser.cookie.partition("=")[2][3:19] if which == "session" else key
    as_operator(pool, f'mutation {{ revokeToken(input: {{token: "{ended}"}}) {{ userErrors {{ code }} }} }}')
    assert browser.account is None
    assert browser.creates("late") == "UNAUTHENTICATED"
    assert "errors" not in browser.ask("{ pool { name } }")


def test_a_revoked_session_is_refused_by_all_processes(browse: Browse, tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2, options=OPTIONS) as pool:
        browser = browse(pool, pool.operator_token)
        # Each connection may reach another process.
        headers = {"cookie": browser.cookie, "connection": "close", "origin": pool.url}

        def accounts() -> set[bool]:
            answers = [
                httpx.post(f"{pool.url}/graphql", json={"query": VIEWER}, headers=headers).json() for _ in range(20)
            ]
            return {each["data"]["viewer"]["account"] is None for each in answers}

        assert accounts() == {False}
        assert httpx.delete(f"{pool.url}/session", headers=headers).status_code == 204
        until(lambda: accounts() == {True}, "the session is refused everywhere", patience_s=30)


@pytest.mark.parametrize("body", ["token=cp_1", '"cp_1"', "{}", '{"token": 1}', "[", "x" * 10_000])
def test_a_session_is_opened_with_json_and_a_token(pool: RunningServer, body: str) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""):
        answer = httpx.post(f"{pool.url}/session", content=body, headers={"content-type": content_type})
        assert answer.status_code == 415
    answer = httpx.post(f"{pool.url}/session", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_INPUT")


def test_a_session_is_no_token_and_opens_no_other(browse: Browse, pool: RunningServer) -> None:
    text = browse(pool, new_token(pool)[1]).cookie.partition("=")[2]
    answer = httpx.post(
        f"{pool.url}/graphql", json={"query": VIEWER}, headers={"authorization": f"Bearer {text}"}
    ).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert browse(pool, text).opened.status_code == 401


def test_an_open_pool_has_no_sessions(browse: Browse) -> None:
    with warm_server("memory") as pool:
        answer = browse(pool, "cp_1").opened
        assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


def test_behind_tls_the_cookie_is_secure_and_for_the_pools_path() -> None:
    options = ("--auth", "tokens", "--public-url", "https://example.org/pool")
    with warm_server("memory", options=options) as pool:
        headers = {"origin": "https://example.org"}
        opened = httpx.post(f"{pool.url}/session", json={"token": pool.operator_token}, headers=headers)
        cookie, *attributes = opened.headers["set-cookie"].split("; ")
        assert cookie.startswith("__Secure-comp_pool_session=cs_")
        assert {"Secure", "Path=/pool", "HttpOnly", "SameSite=strict"} <= set(attributes)
        asked = httpx.post(f"{pool.url}/graphql", json={"query": VIEWER}, headers={"cookie": cookie, **headers})
        assert asked.json()["data"]["viewer"]["account"] == {"key": "operator"}

"""Signing in through an OpenID Connect provider, and what can go wrong at it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.processes import PATIENCE_S, RunningServer
from tests.provider import running_provider
from tests.warm_servers import warm_server

VIEWER = "{ viewer { account { key name } scopes providerName } }"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with running_provider() as running:
        yield running


@contextmanager
def pool_with(issuer: str, *options: str) -> Iterator[RunningServer]:
    with TemporaryDirectory() as home:
        secret = Path(home) / "secret"
        secret.write_text("from the provider\n")
        provider = ("--oidc-issuer", issuer, "--oidc-client-id", "pool", "--oidc-client-secret-file", str(secret))
        with warm_server("memory", options=(*provider, "--oidc-name", "Example", *options)) as server:
            yield server


@pytest.fixture(scope="module")
def pool(issuer: str) -> Iterator[RunningServer]:
    with pool_with(issuer, "--oidc-sign-up", "*", "--oidc-operators", "boss@example.org") as server:
        yield server


class Browser:
    """A browser that follows no redirect by itself."""

    def __init__(self, pool: RunningServer) -> None:
        self.pool = pool
        self.http = httpx.Client(timeout=PATIENCE_S)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def to_provider(self) -> httpx.URL:
        answer = self.http.get(f"{self.pool.url}/session/openid")
        assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
        return httpx.URL(answer.headers["location"])

    def consents(self, at: httpx.URL, **form: str) -> str:
        """The address that the provider sends the browser to."""
        return str(self.http.post(at, data=form).headers["location"])

    def lands(self, address: str) -> httpx.Response:
        """The answer there, to a request that the provider's page has caused."""
        strict = [name for name in self.http.cookies if "session" in name]
        assert strict == []
        return self.http.get(address, headers={"sec-fetch-site": "cross-site"})

    def signs_in(self, subject: str) -> str:
        """Where it ends up."""
        answer = self.lands(self.consents(self.to_provider(), sub=subject))
        assert answer.status_code == 303
        return str(answer.headers["location"])

    @property
    def viewer(self) -> dict[str, Any]:
        answer = self.http.post(f"{self.pool.url}/graphql", json={"query": VIEWER}, headers={"origin": self.pool.url})
        viewer: dict[str, Any] = answer.json()["data"]["viewer"]
        return viewer


def test_the_first_sign_in_makes_an_account_and_later_ones_find_it(pool: RunningServer) -> None:
    keys = []
    for _ in range(2):
        with Browser(pool) as browser:
            assert browser.signs_in("a1") == "/dashboard#/flows"
            keys.append(browser.viewer)
    assert keys[0] == keys[1]
    assert keys[0] == {
        "account": {"key": "ada", "name": "Ada"},
        "scopes": ["COMPUTE", "READ", "SUBMIT"],
        "providerName": "Example",
    }


def test_the_request_has_what_keeps_others_out(pool: RunningServer) -> None:
    with Browser(pool) as browser:
        asked = browser.to_provider().params
        assert {"state", "nonce", "code_challenge"} <= asked.keys()
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == f"{pool.url}/session/openid/landing"
        answer = browser.http.get(f"{pool.url}/session/openid")
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("comp_pool_login=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(attributes)


def test_only_a_verified_address_makes_an_operator(pool: RunningServer) -> None:
    scopes = {}
    for subject in ("b1", "l1"):
        with Browser(pool) as browser:
            browser.signs_in(subject)
            scopes[subject] = browser.viewer["scopes"]
    assert "OPERATE" in scopes["b1"]
    assert "OPERATE" not in scopes["l1"]


def test_names_are_made_unique_and_valid(pool: RunningServer) -> None:
    with Browser(pool) as browser:
        for subject, claims in {
            "n1": {},
            "n2": {},
            "n3": {"name": "operator"},
            "n4": {"name": "\u0007<b>" * 99},
        }.items():
            put = browser.http.put(f"{browser.to_provider().copy_with(raw_path=b'/users/')}{subject}", json=claims)
            assert put.status_code == 204
    found = []
    for subject in ("n1", "n2", "n3", "n4"):
        with Browser(pool) as browser:
            browser.signs_in(subject)
            found.append(browser.viewer["account"]["key"])
    assert found[:3] == ["somebody", "somebody-2", "operator-2"]
    assert found[3].strip("b-") == ""


def test_what_the_provider_denies_is_said(pool: RunningServer) -> None:
    with Browser(pool) as browser:
        answer = browser.lands(browser.consents(browser.to_provider(), action="deny"))
        assert answer.headers["location"] == "/dashboard#/sign-in?problem=denied"
        assert browser.viewer["account"] is None


def test_a_landing_of_another_browsers_login_is_refused(pool: RunningServer) -> None:
    with Browser(pool) as victim, Browser(pool) as attacker:
        address = attacker.consents(attacker.to_provider(), sub="a1")
        assert victim.lands(address).headers["location"] == "/dashboard#/sign-in?problem=expired"
        victim.to_provider()
        assert victim.lands(address).headers["location"] == "/dashboard#/sign-in?problem=expired"
        assert victim.viewer["account"] is None
        assert attacker.lands(address).headers["location"] == "/dashboard#/flows"
        attacker.http.cookies.delete("comp_pool_session")
        assert attacker.lands(address).headers["location"] == "/dashboard#/sign-in?problem=expired"


@pytest.mark.parametrize(
    "query", ["", "?code=1", "?state=1", "?code=1&state=1", "?error=x&error_description=%0aforged"]
)
def test_a_landing_of_nothing_is_refused(pool: RunningServer, query: str) -> None:
    with Browser(pool) as browser:
        answer = browser.lands(f"{pool.url}/session/openid/landing{query}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/dashboard#/sign-in?problem=")


def test_strangers_get_an_account_only_where_they_may(issuer: str) -> None:
    with pool_with(issuer, "--oidc-sign-up", "n1, @example.org", "--oidc-operators", "b1") as pool:
        found = {}
        for subject in ("a1", "b1", "n1", "l1", "stranger"):
            with Browser(pool) as browser:
                found[subject] = browser.signs_in(subject)
    stranger = "/dashboard#/sign-in?problem=stranger"
    assert found == dict.fromkeys(("a1", "b1", "n1"), "/dashboard#/flows") | dict.fromkeys(("l1", "stranger"), stranger)


@pytest.mark.parametrize("path", ["/nowhere", "/"])
def test_a_provider_that_is_none_is_said(issuer: str, path: str) -> None:
    there = f"{issuer}{path}" if path != "/" else "http://localhost:1"
    with pool_with(there) as pool:
        answer = httpx.get(f"{pool.url}/session/openid")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/dashboard#/sign-in?problem=provider"


def test_a_provider_of_another_name_is_not_believed(tmp_path: Path) -> None:
    place = tmp_path / ".well-known"
    place.mkdir()
    said = {"issuer": "https://accounts.example", "authorization_endpoint": "https://accounts.example/authorize"}
    (place / "openid-configuration").write_text(json.dumps(said))
    with serving(tmp_path) as there, pool_with(there) as pool:
        answer = httpx.get(f"{pool.url}/session/openid")
        assert answer.headers["location"] == "/dashboard#/sign-in?problem=provider"


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a web server of files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_below_a_path_it_leads_there(issuer: str) -> None:
    options = ("--public-url", "https://example.org/pool", "--oidc-sign-up", "*")
    with pool_with(issuer, *options) as pool:
        answer = httpx.get(f"{pool.url}/session/openid")
        asked = httpx.URL(answer.headers["location"]).params
        assert asked["redirect_uri"] == "https://example.org/pool/session/openid/landing"
        assert {"Path=/pool", "Secure"} <= set(answer.headers["set-cookie"].split("; "))
        landed = httpx.get(f"{pool.url}/session/openid/landing")
        assert landed.headers["location"].startswith("/pool/dashboard#/sign-in")


def test_without_a_provider_there_is_no_way_to_it() -> None:
    with warm_server("memory", options=("--auth", "tokens")) as pool:
        assert httpx.get(f"{pool.url}/session/openid").status_code == 404

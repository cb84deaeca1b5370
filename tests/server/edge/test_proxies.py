"""Whose word counts for where a request came from, and where it went."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pydantic import ValidationError

from server.edge.proxies import Proxied
from server.settings import Settings
from tests.processes import RunningServer
from tests.warm_servers import warm_server

SAID = {
    "x-forwarded-for": "198.51.100.7, 203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "spoofed.example, localhost:8443",
    "x-forwarded-prefix": "/jobs",
}


async def seen(trusted: list[str], client: str, path: str = "/jobs/a%2Fb", root: str = "") -> dict[str, object]:
    """What an application sees of a request that `client` sent with `SAID`."""
    found: dict[str, object] = {}

    async def app(scope: dict[str, object], *_: object) -> None:
        found.update(scope)

    headers = [(name.encode(), value.encode()) for name, value in {"host": "inner", **SAID}.items()]
    scope = {"type": "http", "client": (client, 1), "headers": headers, "scheme": "http", "path": "/jobs/a/b"}
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": ""}
    await Proxied(app, trusted, root)(scope, None, None)  # type: ignore[arg-type]
    found["host"] = [value.decode() for name, value in found["headers"] if name == b"host"]  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("trusted", [["10.0.0.1"], ["10.0.0.0/8"], ["192.0.2.1", "10.0.0.0/30"], ["*"]])
async def test_a_trusted_proxy_is_believed(trusted: list[str]) -> None:
    scope = await seen([*trusted, "203.0.113.9"], "10.0.0.1")
    assert scope["host"] == ["localhost:8443"]
    assert scope["scheme"] == "https"
    assert scope["client"] == ("198.51.100.7", 0)
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/jobs", "/jobs/a/b", b"/jobs/a%2Fb")


@pytest.mark.parametrize("trusted", [[], ["10.0.0.2"], ["192.0.2.0/24"]])
async def test_nobody_else_is(trusted: list[str]) -> None:
    scope = await seen(trusted, "10.0.0.1")
    assert (scope["host"], scope["scheme"], scope["client"], scope["root_path"]) == (
        ["inner"],
        "http",
        ("10.0.0.1", 1),
        "",
    )


async def test_a_path_of_the_settings_counts_more_and_may_be_gone_or_there() -> None:
    gone = await seen(["*"], "10.0.0.1", root="/pool")
    assert (gone["root_path"], gone["path"], gone["raw_path"]) == ("/pool", "/pool/jobs/a/b", b"/pool/jobs/a%2Fb")
    there = await seen(["*"], "10.0.0.1", "/pool/x", root="/pool")
    assert there["raw_path"] == b"/pool/x"


@pytest.fixture(scope="module")
def below() -> Iterator[RunningServer]:
    """A pool below a path that a proxy names, which is at the path of one of its routes."""
    with warm_server("memory", options=("--trusted-proxies", "127.0.0.1", "--auth", "open")) as server:
        httpx.post(f"{server.url}/jobs", json={"name": "Work", "execute_function": "x => x"}).raise_for_status()
        yield server


@pytest.mark.parametrize("prefix", ["/pool", "/a/b", "/pool/"])
def test_all_addresses_are_below_the_prefix_of_a_proxy(below: RunningServer, prefix: str) -> None:
    headers = {"x-forwarded-prefix": prefix, "x-forwarded-host": "localhost:81", "x-forwarded-proto": "https"}
    root = f"https://localhost:81{prefix.rstrip('/')}"
    with httpx.Client(base_url=below.url, headers=headers) as client:
        assert client.get("/jobs/work").json()["_links"]["self"]["href"] == f"{root}/jobs/work"
        page = client.get("/dashboard", headers={"accept": "text/html"})
        assert f" localhost:81{prefix.rstrip('/')}/assets/;" in page.headers["content-security-policy"]
        redirected = client.get(prefix.rstrip("/"), headers={"accept": "text/html"})
        assert (redirected.status_code, redirected.headers["location"]) == (308, f"{prefix.rstrip('/')}/")
        assert client.get("/", headers={"accept": "text/html"}).status_code == 200


def test_a_proxy_does_not_get_a_strange_host_in(below: RunningServer) -> None:
    for host in ("rebound.example", "rebound.example, rebound.example"):
        assert httpx.get(f"{below.url}/jobs", headers={"x-forwarded-host": host}).status_code == 421
    headers = {"host": "rebound.example", "x-forwarded-host": "localhost"}
    assert httpx.get(f"{below.url}/jobs", headers=headers).status_code == 421


@pytest.mark.parametrize("proxies", ["nobody", "10.0.0.0/40", "127.0.0.1;10.0.0.1"])
def test_what_is_no_network_is_refused(proxies: str) -> None:
    with pytest.raises(ValidationError, match="addresses or networks"):
        Settings(trusted_proxies=proxies)


@pytest.mark.parametrize(
    "url", ["pool.example", "ftp://pool.example", "https://", "https://a b", "https://a/;x", "//a"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must be an address"):
        Settings(public_url=url)


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/path", "https://a,b"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="must be origins"):
        Settings(allowed_origins=origin)

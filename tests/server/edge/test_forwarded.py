"""The header `Forwarded` (RFC 7239)."""

from __future__ import annotations

import httpx
import pytest

from server.edge.forwarded import Hop, Malformed, Origin, hops, origin_of
from server.edge.proxies import Proxied
from tests.warm_servers import warm_server

TABLE = {
    "for=192.0.2.60;proto=http;by=203.0.113.43": [Hop("192.0.2.60", scheme="http")],
    'For="[2001:DB8:cafe::17]:4711"': [Hop("2001:db8:cafe::17", 4711)],
    'for="[2001:db8::1]"': [Hop("2001:db8::1")],
    "for=192.0.2.43, for=198.51.100.17": [Hop("192.0.2.43"), Hop("198.51.100.17")],
    'for="192.0.2.43:80"': [Hop("192.0.2.43", 80)],
    'for="192.0.2.43:_hidden"': [Hop("192.0.2.43")],
    "for=unknown;proto=https": [Hop(scheme="https")],
    "for=_SEVKISEK": [Hop()],
    'for="_gazonk:_x"': [Hop()],
    "host=pool.example": [Hop(host="pool.example")],
    'HOST="pool.example:8443";PROTO=HTTPS': [Hop(scheme="https", host="pool.example:8443")],
    'host="[2001:db8::1]:80"': [Hop(host="[2001:db8::1]:80")],
    r'for="192\.0.2.1";secret="a;b,c\"d"': [Hop("192.0.2.1")],
    " for=192.0.2.1 ;\tproto=https ": [Hop("192.0.2.1", scheme="https")],
    "for=192.0.2.1,,for=192.0.2.2,": [Hop("192.0.2.1"), Hop("192.0.2.2")],
    ";for=192.0.2.1;;": [Hop("192.0.2.1")],
    "": [],
    " , ": [],
}
MALFORMED = (
    "for",
    "for=",
    "for =192.0.2.1",
    "for= 192.0.2.1",
    "192.0.2.1",
    "for=192.0.2.1;for=192.0.2.2",
    "for=192.0.2.1 for=192.0.2.2",
    "for=192.0.2.1:80",
    "for=2001:db8::1",
    'for="2001:db8::1"',
    'for="[192.0.2.1]"',
    'for="[2001:db8::1"',
    'for="192.0.2.1',
    'for="192.0.2.1\\"',
    'for="192.0.2.1:123456"',
    "for=256.0.0.1",
    "for=somebody",
    "proto=gopher",
    'proto=""',
    'host=""',
    'host="pool.example/path"',
    'host="a b"',
    "proto=https;PROTO=http",
)
PROXIES = ("10.0.0.1", "10.0.0.2", "2001:db8::a")
ORIGINS = {
    "for=198.51.100.7, for=203.0.113.9;proto=https;host=a.example": Origin(("203.0.113.9", 0), "https", "a.example"),
    "for=203.0.113.9;proto=https;host=a.example, for=10.0.0.2;proto=http;host=inner": Origin(
        ("203.0.113.9", 0), "https", "a.example"
    ),
    "proto=https;for=192.0.2.1, for=203.0.113.9, for=10.0.0.2;proto=http": Origin(("203.0.113.9", 0), "http", ""),
    'for="[2001:db8::1]:9", for="[2001:DB8::A]"': Origin(("2001:db8::1", 9), "", ""),
    "for=10.0.0.1, for=10.0.0.2": Origin(("10.0.0.1", 0), "", ""),
    "for=203.0.113.9, for=unknown;host=a.example, for=10.0.0.2": Origin(("10.0.0.2", 0), "", "a.example"),
    "for=_hidden;proto=https": Origin(None, "https", ""),
    "": Origin(None, "", ""),
}


@pytest.mark.parametrize("header", TABLE)
def test_it_is_read_as_the_rfc_has_it(header: str) -> None:
    assert hops(header) == TABLE[header]


@pytest.mark.parametrize("header", MALFORMED)
def test_what_is_malformed_is_found_out(header: str) -> None:
    for whole in (header, f"for=192.0.2.9, {header}", f"{header}, for=192.0.2.9"):
        with pytest.raises(Malformed):
            hops(whole)


def test_a_long_header_is_read_at_once() -> None:
    with pytest.raises(Malformed):
        hops('for="' + '\\"' * 15_000)
    assert len(hops("for=192.0.2.1," * 2_000)) == 2_000


@pytest.mark.parametrize("header", ORIGINS)
def test_the_client_is_the_nearest_that_is_no_proxy(header: str) -> None:
    assert origin_of(header, PROXIES.__contains__) == ORIGINS[header]


async def seen(kind: str, client: str, *headers: tuple[str, str]) -> dict[str, object]:
    """What an application sees behind the proxies 10.0.0.0/8."""
    found: dict[str, object] = {}

    async def app(scope: dict[str, object], *_: object) -> None:
        found.update(scope)

    raw = [(b"host", b"inner"), *((name.encode(), value.encode()) for name, value in headers)]
    scope = {"type": kind, "client": (client, 1), "headers": raw, "path": "/", "root_path": "", "query_string": b""}
    scope["scheme"] = "http" if kind == "http" else "ws"
    await Proxied(app, ["10.0.0.0/8"])(scope, None, None)  # type: ignore[arg-type]
    hosts = [value.decode() for name, value in found["headers"] if name == b"host"]  # type: ignore[attr-defined]
    return {"client": found["client"], "scheme": found["scheme"], "hosts": hosts}


SAID = ("forwarded", 'for=198.51.100.7, for="203.0.113.9:5";proto=https;host=pool.example')
AS_IT_CAME = {"client": ("10.0.0.1", 1), "scheme": "http", "hosts": ["inner"]}


@pytest.mark.parametrize(("kind", "scheme"), [("http", "https"), ("websocket", "wss")])
async def test_a_trusted_proxy_is_believed(kind: str, scheme: str) -> None:
    believed = {"client": ("203.0.113.9", 5), "scheme": scheme, "hosts": ["pool.example"]}
    assert await seen(kind, "10.0.0.1", SAID) == believed
    first, _, second = SAID[1].partition(", ")
    assert await seen(kind, "10.0.0.1", ("forwarded", first), ("forwarded", second)) == believed


async def test_nobody_else_is() -> None:
    assert await seen("http", "192.0.2.1", SAID) == {**AS_IT_CAME, "client": ("192.0.2.1", 1)}


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"])
async def test_what_other_proxies_set_counts_instead(name: str) -> None:
    values = {"x-forwarded-for": "192.0.2.5", "x-forwarded-proto": "http", "x-forwarded-host": "inner"}
    seen_so = await seen("http", "10.0.0.1", SAID, (name, values[name]))
    assert seen_so == {**AS_IT_CAME, **({"client": ("192.0.2.5", 0)} if name == "x-forwarded-for" else {})}


async def test_what_is_malformed_counts_for_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def app(*_: object) -> None:
        pass

    proxied = Proxied(app, ["*"])
    for _ in range(3):
        headers = [(b"host", b"inner"), (b"forwarded", b"for=nobody;proto=https;host=a.example")]
        scope = {"type": "http", "client": ("10.0.0.1", 1), "headers": headers, "scheme": "http", "path": "/"}
        await proxied(scope, None, None)  # type: ignore[arg-type]
        assert (scope["headers"], scope["scheme"], scope["client"]) == (headers, "http", ("10.0.0.1", 1))
    assert [record.message for record in caplog.records] == [
        "a proxy sends a header Forwarded that is ignored: 'nobody' is no node"
    ]


def test_the_addresses_of_a_pool_are_those_that_its_proxy_names() -> None:
    options = ("--trusted-proxies", "127.0.0.1", "--auth", "open", "--address-requests", "1")
    with warm_server("memory", options=options) as server:

        def asked(client: str) -> httpx.Response:
            header = f'for=_spoofed, for={client};proto=https;host="localhost:8443"'
            return httpx.get(f"{server.url}/jobs", headers={"forwarded": header})

        assert asked("198.51.100.7").json()["_links"]["self"]["href"].startswith("https://localhost:8443/jobs")
        assert any(asked("203.0.113.9").status_code == 429 for _ in range(200))
        assert asked('"[2001:db8::1]:80"').status_code == 200
        strange = httpx.get(f"{server.url}/jobs", headers={"forwarded": "for=192.0.2.1;host=rebound.example"})
        assert strange.status_code == 421

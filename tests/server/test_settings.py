from typing import Any

import pytest
from pydantic import ValidationError

from server.settings import Auth, Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_a_pool_on_loopback_is_open_unless_told_otherwise(host: str) -> None:
    assert not Settings(host=host).wants_tokens
    assert Settings(host=host, auth=Auth.TOKENS).wants_tokens


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "pool.example"])
def test_a_pool_that_others_reach_wants_tokens_unless_told_otherwise(host: str) -> None:
    assert Settings(host=host).wants_tokens
    assert not Settings(host=host, auth=Auth.OPEN).wants_tokens


def test_the_environment_sets_what_no_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_POOL_PORT", "8081")
    monkeypatch.setenv("COMP_POOL_NAME", "from the environment")
    settings = Settings(port=8082)
    assert (settings.port, settings.name) == (8082, "from the environment")


def test_names_are_checked_on_loopback_and_elsewhere_once_they_are_set() -> None:
    loopback = {"localhost", "127.0.0.1", "[::1]"}
    assert Settings().own_hosts == loopback
    assert Settings(host="::1", public_url="https://Pool.example:8443/pool").own_hosts == {*loopback, "pool.example"}
    assert Settings(host="0.0.0.0", auth=Auth.OPEN, public_url="https://pool.example").own_hosts == set()
    assert Settings(host="0.0.0.0", auth=Auth.OPEN, allowed_hosts="a.example").own_hosts >= {"a.example", *loopback}
    assert Settings(allowed_hosts="a.example, *").own_hosts == set()


def test_origins_are_compared_as_browsers_write_them() -> None:
    settings = Settings(public_url="https://Pool.example:443/pool", allowed_origins="https://App.example, http://b:80/")
    assert settings.own_origins == {"https://pool.example", "https://app.example", "http://b"}


def test_behind_a_proxy_a_pool_on_loopback_is_not_open_by_itself() -> None:
    assert not Settings().wants_tokens
    assert not Settings(public_url="http://localhost:7070").wants_tokens
    assert Settings(public_url="https://pool.example").wants_tokens
    assert Settings(trusted_proxies="127.0.0.1").wants_tokens
    assert not Settings(trusted_proxies="127.0.0.1", auth=Auth.OPEN).wants_tokens


OF_STRANGERS = ("address_requests", "address_connections", "address_subscriptions", "new_hosts")


@pytest.mark.parametrize("name", OF_STRANGERS)
def test_addresses_are_limited_where_others_reach_the_pool(name: str) -> None:
    def in_force(**said: Any) -> int:
        settings = Settings(**said)
        return getattr(settings, f"{name}_in_force", 0) or getattr(settings.limits, name, 0)

    assert in_force() == 0
    assert in_force(auth=Auth.TOKENS) == 0
    assert in_force(host="0.0.0.0") == in_force(trusted_proxies="127.0.0.1") == 500
    assert in_force(**{name: 7}) == 7
    assert in_force(host="0.0.0.0", **{name: 0}) == 0


def test_work_is_refused_before_results_are() -> None:
    with pytest.raises(ValidationError, match="--full-disk-bytes must be at most --low-disk-bytes"):
        Settings(low_disk_bytes=1, full_disk_bytes=2)

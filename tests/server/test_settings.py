import pytest
from pydantic import ValidationError

from server.settings import Auth, Settings


def test_an_open_pool_listens_on_loopback_only_unless_told_so() -> None:
    with pytest.raises(ValidationError, match="say --auth open if that is meant"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", auth=Auth.OPEN).host == "0.0.0.0"
    for host in ("127.0.0.1", "127.8.9.1", "::1", "localhost"):
        assert Settings(host=host).auth is None


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

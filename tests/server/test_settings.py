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

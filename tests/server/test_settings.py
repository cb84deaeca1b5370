import pytest

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

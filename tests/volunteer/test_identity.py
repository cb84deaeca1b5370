from pathlib import Path

from volunteer import remembered

POOL = "http://pool.example"


def test_a_host_is_itself_again_at_the_same_pool_and_another_one_elsewhere(tmp_path: Path) -> None:
    with remembered(POOL, directory=tmp_path) as host:
        assert host.token == ""
        host.is_now("key.signature")
        assert host.key == "key"
    with remembered(POOL, directory=tmp_path) as host:
        assert host.token == "key.signature"
    with remembered("http://other.example", directory=tmp_path) as elsewhere:
        assert elsewhere.token == ""


def test_volunteers_at_the_same_time_are_different_hosts_and_each_is_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        with remembered(POOL, directory=tmp_path) as first, remembered(POOL, directory=tmp_path) as second:
            assert first.token in ("", "one.x")
            assert second.token in ("", "two.x")
            first.is_now("one.x")
            second.is_now("two.x")
    assert first.token != second.token


def test_a_new_host_replaces_the_one_that_was_remembered(tmp_path: Path) -> None:
    with remembered(POOL, directory=tmp_path) as host:
        host.is_now("old.x")
    with remembered(POOL, directory=tmp_path, new=True) as host:
        assert host.token == ""
        host.is_now("new.x")
    with remembered(POOL, directory=tmp_path) as host:
        assert host.token == "new.x"


def test_a_damaged_file_makes_a_new_host(tmp_path: Path) -> None:
    with remembered(POOL, directory=tmp_path) as host:
        host.is_now("old.x")
    (damaged,) = tmp_path.iterdir()
    damaged.write_text('{"token"')
    with remembered(POOL, directory=tmp_path) as host:
        assert host.token == ""

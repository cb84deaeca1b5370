"""The embedded engine's process: who may have its data, and what survives its end."""

import asyncio
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from urllib.parse import unquote, urlsplit

import pytest

from storage.embedded import DirectoryInUse, EngineFailed, SqliteMismatch, embedded_engine, engine, launcher
from storage.engines import Collection, open_database

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120.0


async def test_data_outlives_the_engine_and_the_engine_leaves_nothing_running(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_database(str(data), indexes={}) as database:
        await database.collection("tasks").insert_one({"_id": "a", "n": 1})
        socket = _socket_of(database.uri)
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert _engines_of(data) == []
    assert not socket.exists()
    async with open_database(str(data), indexes={}) as database:
        assert await database.collection("tasks").find_one({"_id": "a"}) == {"_id": "a", "n": 1}


async def test_a_killed_engine_comes_back_with_every_acknowledged_write(tmp_path: Path) -> None:
    async with open_database(str(tmp_path), indexes={}) as database:
        tasks = database.collection("tasks")
        acknowledged: dict[str, int] = {}
        writers = [asyncio.create_task(_write(tasks, f"w{n}", acknowledged)) for n in range(4)]
        killed = set()
        for _ in range(3):
            await _until_grown(acknowledged)
            process = _engine_of(tmp_path)
            os.kill(process, signal.SIGKILL)
            killed.add(process)
        await _until_grown(acknowledged)
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        stored = {task["_id"]: task["n"] for task in await tasks.find({}, limit=10 * len(acknowledged))}
        assert len(killed) == 3
        assert [_id for _id, n in acknowledged.items() if stored.get(_id, -1) < n] == []


async def test_a_stop_while_somebody_is_connected_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with embedded_engine(tmp_path) as uri:
        _, writer = await asyncio.open_unix_connection(_socket_of(uri))
        async with open_database(uri, indexes={}) as database:  # By then it has taken the first connection, too.
            await database.ping()
    writer.close()
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_directory_has_one_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_LOCK_PATIENCE_S", 0.1)
    async with embedded_engine(tmp_path):
        with pytest.raises(DirectoryInUse, match=f"Another server uses {tmp_path}: stop it"):
            async with embedded_engine(tmp_path):
                pass
        assert len(_engines_of(tmp_path)) == 1


async def test_other_processes_of_the_server_share_its_engine_by_uri(tmp_path: Path) -> None:
    async with (
        open_database(str(tmp_path), indexes={}) as owner,
        open_database(owner.uri, indexes={}) as worker,
    ):
        await worker.collection("tasks").insert_one({"_id": "a", "n": 1})
        assert await owner.collection("tasks").count({}) == 1


async def test_an_engine_ends_with_its_killed_server_and_the_next_takes_over(tmp_path: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SERVER,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert server.stdout
    assert await server.stdout.readline() == b"STORED\n"
    server.kill()
    async with open_database(str(tmp_path), indexes={}) as database:
        assert await database.collection("tasks").find_one({"_id": "a"}) == {"_id": "a", "n": 1}
    await server.wait()


async def test_data_of_another_sqlite_is_refused(tmp_path: Path) -> None:
    async with embedded_engine(tmp_path):
        pass
    (tmp_path / "SQLITE_VERSION").write_text("2.8.17")
    with pytest.raises(SqliteMismatch, match=r"was written with SQLite 2\.8\.17, and this Python has"):
        async with embedded_engine(tmp_path):
            pass


async def test_an_engine_that_can_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "LOCK").mkdir()
    with pytest.raises(EngineFailed, match="IsADirectoryError"):
        async with embedded_engine(tmp_path):
            pass


async def test_an_engine_that_is_not_ready_in_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_STARTUP_S", 0.01)
    with pytest.raises(EngineFailed, match=r"was not ready after 0\.01 s"):
        async with embedded_engine(tmp_path):
            pass
    assert _engines_of(tmp_path) == []


@pytest.fixture
def runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryDirectory(dir="/tmp") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


async def _socket_of_a_long_path(directory: Path) -> Path:
    async with open_database(str(directory / ("d" * 120)), indexes={}) as database:
        await database.ping()
        socket = _socket_of(database.uri)
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert not socket.parent.exists()
    return socket


async def test_a_path_too_long_for_a_socket_puts_it_in_the_runtime_directory(
    tmp_path: Path, runtime_directory: Path
) -> None:
    socket = await _socket_of_a_long_path(tmp_path)
    assert socket.parent.parent == runtime_directory


async def test_a_runtime_directory_with_too_long_a_path_is_none(
    tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_directory / ("r" * 120)))
    socket = await _socket_of_a_long_path(tmp_path)
    assert socket.parent.parent == Path(gettempdir())


_SERVER = """
import asyncio, sys
from storage.engines import open_database

async def main():
    async with open_database(sys.argv[1], indexes={}) as database:
        await database.collection("tasks").insert_one({"_id": "a", "n": 1})
        print("STORED", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def _write(tasks: Collection, writer: str, acknowledged: dict[str, int]) -> None:
    """Insert documents and raise their `n`, noting for each the last `n` that was acknowledged."""
    number = 0
    while True:
        _id = f"{writer}-{number}"
        await tasks.insert_one({"_id": _id, "n": 1})
        acknowledged[_id] = 1
        await tasks.update_one({"_id": _id}, {"$set": {"n": 2}})
        acknowledged[_id] = 2
        number += 1


async def _until_grown(acknowledged: dict[str, int]) -> None:
    enough = len(acknowledged) + 100
    deadline = time.monotonic() + _PATIENCE_S
    while len(acknowledged) < enough:
        assert time.monotonic() < deadline, "the engine acknowledges no writes"
        await asyncio.sleep(0.01)


def _engine_of(directory: Path) -> int:
    (process,) = _engines_of(directory)
    return process


def _engines_of(directory: Path) -> list[int]:
    """The processes that run an engine on `directory`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(launcher.__file__) in arguments and os.fsencode(directory) in arguments:
            found.append(int(entry.name))
    return found


def _socket_of(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).netloc))

"""Which host a volunteer is: a token that a pool gave out, kept for the next time."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platformdirs import user_data_path

MOST_HOSTS = 1_000


@dataclass(slots=True)
class Identity:
    """A host's token, empty for a new host, and what keeps it once the pool has given one out."""

    token: str
    keep: Callable[[str], None]

    @property
    def key(self) -> str:
        """The host's public pseudonym."""
        return self.token.partition(".")[0]

    def is_now(self, token: str) -> None:
        """Take a token that the pool gave out."""
        if token != self.token:
            self.token = token
            self.keep(token)


def forgotten() -> Identity:
    """A new host that is not kept."""
    return Identity("", lambda _: None)


@contextmanager
def remembered(pool_url: str, *, directory: Path | None = None, new: bool = False) -> Iterator[Identity]:
    """The host that this user's machine is at a pool.

    Volunteers that run at the same time are different hosts: each takes the first one that no other has, and holds
    it by a lock that ends with its process. `directory` is by default in the user's data directory. `new` forgets
    the host that would be taken.
    """
    place = directory or user_data_path("comp-pool") / "hosts"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = hashlib.sha256(pool_url.encode()).hexdigest()[:16]
    for number in range(MOST_HOSTS):
        with (place / f"{stem}-{number}.json").open("a+") as file:
            if not _locked(file):
                continue
            yield Identity("" if new else _read(file), lambda token: _write(file, pool_url, token))
            return
    yield forgotten()


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> str:
    file.seek(0)
    try:
        return str(json.load(file)["token"])
    except (ValueError, KeyError, TypeError):
        return ""


def _write(file: IO[str], pool_url: str, token: str) -> None:
    file.seek(0)
    file.truncate()
    json.dump({"pool": pool_url, "token": token}, file)
    file.flush()

"""Hearing of changes at once, where the database tells of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from bson import Timestamp
from pymongo.errors import OperationFailure

from storage.engines import Database, changes, open_database

LONG_S = 240.0
"""So long that a test which waited for it would have failed before."""
SOON_S = 120.0


async def test_a_replica_set_tells_of_a_change_in_any_of_the_collections(
    replica_set_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "QUIET_S", LONG_S)
    async with (
        open_database(replica_set_location, indexes={}) as here,
        open_database(replica_set_location, indexes={}) as elsewhere,
        asyncio.timeout(SOON_S),
    ):
        heard = here.changes("letters", "parcels")
        for collection in ("letters", "parcels"):
            moment = await heard.moment()
            waiting = asyncio.create_task(heard.wait(moment))
            await elsewhere.collection(collection).insert_one({"_id": f"{collection}:1"})
            await waiting


async def test_a_change_between_looking_and_waiting_is_told_too(
    replica_set_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "QUIET_S", LONG_S)
    async with open_database(replica_set_location, indexes={}) as database, asyncio.timeout(SOON_S):
        heard = database.changes("letters")
        moment = await heard.moment()
        await database.collection("letters").insert_one({"_id": "letter:1"})
        await heard.wait(moment)


async def test_where_nothing_changes_it_waits_for_a_while(
    replica_set_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "QUIET_S", 0.3)
    async with open_database(replica_set_location, indexes={}) as database:
        heard = database.changes("letters")
        moment = await heard.moment()
        await database.collection("parcels").insert_one({"_id": "parcel:1"})
        before, began = asyncio.all_tasks(), time.monotonic()
        async with asyncio.timeout(SOON_S):
            await heard.wait(moment)
        assert time.monotonic() - began >= 0.3
        assert asyncio.all_tasks() == before


async def test_the_other_engines_tell_of_none_and_nobody_waits_for_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "QUIET_S", LONG_S)
    heard = database.changes("letters")
    if (await heard.moment()) is not None:
        pytest.skip("this MongoDB has change streams")
    async with asyncio.timeout(SOON_S):
        await heard.wait(None)


class Strict:
    """A database of a replica set, and its collections, for a user who may not have change streams."""

    async def command(self, name: str) -> dict[str, Any]:
        return {"ok": 1, "operationTime": Timestamp(1, 1)}

    def __getitem__(self, collection: str) -> Strict:
        return self

    def watch(self, pipeline: Any, **said: Any) -> Strict:
        return self

    async def __aenter__(self) -> None:
        raise OperationFailure("not authorized on pool to execute command aggregate", 13)

    async def __aexit__(self, *ending: object) -> None:
        raise AssertionError


async def test_a_database_that_refuses_change_streams_is_asked_for_none_again() -> None:
    heard = changes.Changes(Strict(), ["letters"])
    moment = await heard.moment()
    assert moment is not None
    async with asyncio.timeout(SOON_S):
        await heard.wait(moment)
    assert await heard.moment() is None

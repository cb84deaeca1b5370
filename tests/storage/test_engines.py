"""What every engine answers."""

from collections import Counter
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from storage.engines import Database, Index, StorageUnavailable, open_database, retries
from storage.engines.schema_version import SCHEMA_VERSION, NewerSchema, check_schema_version
from tests.conftest import is_ferretdb


async def test_a_taken_id_leaves_the_stored_document_alone(database: Database) -> None:
    tasks = database.collection("tasks")
    assert await tasks.insert_one({"_id": "a", "n": 1})
    assert not await tasks.insert_one({"_id": "a", "n": 2})
    assert await tasks.find_one({"_id": "a"}) == {"_id": "a", "n": 1}


async def test_insert_many_stores_the_new_documents_and_names_the_others(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.insert_one({"_id": "b", "n": 0})
    assert await tasks.insert_many([{"_id": name, "n": 1} for name in ("a", "b", "c", "c")]) == {"b", "c"}
    assert await tasks.insert_many([]) == set()
    assert await _field_by_id(database, "n") == {"a": 1, "b": 0, "c": 1}


async def test_insert_many_stores_more_documents_than_a_batch_of_the_protocol_returns(
    database: Database,
) -> None:
    tasks = database.collection("tasks")
    await tasks.insert_many([{"_id": f"t{n}", "n": n} for n in range(1_000)])
    assert len(await tasks.find({}, limit=999)) == 999
    assert len(await tasks.find({}, limit=5_000)) == 1_000
    assert await tasks.count({}) == 1_000


async def test_find_sorts_limits_and_projects(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.create_index(Index(("job", "rand")))
    await tasks.insert_many([{"_id": f"t{n}", "job": "j", "rand": n / 10, "m": {"k": n}} for n in range(9)])
    above = {"job": {"$eq": "j"}, "rand": {"$gt": 0.2, "$lte": 0.6}}
    assert await tasks.find(above, limit=2, sort=[("rand", 1)], projection=["m"]) == [
        {"_id": "t3", "m": {"k": 3}},
        {"_id": "t4", "m": {"k": 4}},
    ]
    assert [task["_id"] for task in await tasks.find(above, limit=2, sort=[("rand", -1)])] == ["t6", "t5"]
    assert await tasks.find({"_id": {"$in": ["t1", "nope"]}}, limit=9, projection=[]) == [{"_id": "t1"}]
    assert await tasks.find(above, limit=0) == []
    assert await tasks.find_one({"_id": "nope"}) is None


async def test_text_is_sorted_and_compared_by_code_point(database: Database) -> None:
    words = database.collection("words")
    await words.create_index(Index(("word",)))
    await words.insert_many([{"_id": f"w{n}", "word": word} for n, word in enumerate("bZaBé")])
    found = await words.find({"word": {"$gte": "B"}}, limit=9, sort=[("word", 1)])
    assert "".join(entry["word"] for entry in found) == "BZabé"
    found = await words.find({"word": {"$gt": "Z", "$lt": "é"}}, limit=9, sort=[("word", 1)])
    assert "".join(entry["word"] for entry in found) == "ab"


@pytest.mark.parametrize(
    ("before", "update", "after"),
    [
        pytest.param({"n": 1}, {"$set": {"n": 2, "s": "x"}}, {"n": 2, "s": "x"}, id="set scalars"),
        pytest.param({"m": {"a": 1}}, {"$set": {"m": {"b": 2}}}, {"m": {"b": 2}}, id="set a map"),
        pytest.param(
            {"m": {"a": 1}},
            {"$set": {"m.b-1": 2, "new.k:1": {"s": "x"}}},
            {"m": {"a": 1, "b-1": 2}, "new": {"k:1": {"s": "x"}}},
            id="set in maps",
        ),
        pytest.param({"s": ""}, {"$set": {"s": "$n"}}, {"s": "$n"}, id="set what looks like a field"),
        pytest.param(
            {"n": 1, "m": {"a": 1}},
            {"$inc": {"n": 2, "m.a": -1, "m.b": 5}, "$set": {"s": "x"}},
            {"n": 3, "m": {"a": 0, "b": 5}, "s": "x"},
            id="inc and set",
        ),
        pytest.param({"a": 5, "b": 5}, {"$min": {"a": 4}, "$max": {"b": 4}}, {"a": 4, "b": 5}, id="min max"),
    ],
)
async def test_an_update_changes_what_its_operators_name(
    database: Database,
    before: dict[str, Any],
    update: Mapping[str, Mapping[str, Any]],
    after: dict[str, Any],
) -> None:
    documents = database.collection("documents")
    await documents.insert_many([{"_id": "a", **before}, {"_id": "other", **before}])
    assert await documents.update_one({"_id": "a"}, update)
    assert await documents.find_one({"_id": "a"}) == {"_id": "a", **after}
    assert await documents.find_one({"_id": "other"}) == {"_id": "other", **before}


async def test_an_update_counts_what_it_matches_changed_or_not(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.insert_many([{"_id": f"t{n}", "status": "ready", "n": n} for n in range(4)])
    ready = {"status": {"$eq": "ready"}}
    assert await tasks.update_one({"_id": "t0", **ready}, {"$set": {"status": "ready"}})
    assert await tasks.update_one({"_id": "t0", **ready}, {"$set": {"status": "leased"}})
    assert not await tasks.update_one({"_id": "t0", **ready}, {"$set": {"status": "leased"}})
    chosen = {"_id": {"$in": ["t0", "t1", "t2"]}, **ready}
    assert await tasks.update_many(chosen, {"$set": {"status": "leased"}, "$inc": {"n": 10}}) == 2
    assert await _field_by_id(database, "n") == {"t0": 0, "t1": 11, "t2": 12, "t3": 3}


async def test_find_one_and_update_takes_the_first_and_returns_it_changed(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.create_index(Index(("status", "rand")))
    await tasks.insert_many([{"_id": f"t{n}", "status": "ready", "rand": n / 10, "tries": 0} for n in (3, 1, 2)])
    claim = {"$set": {"status": "leased"}, "$inc": {"tries": 1}}
    ready = {"status": {"$eq": "ready"}, "rand": {"$gte": 0.15}}
    claimed = await tasks.find_one_and_update(ready, claim, [("rand", 1)])
    assert claimed == {"_id": "t2", "status": "leased", "rand": 0.2, "tries": 1}
    assert await tasks.find_one_and_update(ready, claim, [("rand", 1)])
    assert await tasks.find_one_and_update(ready, claim, [("rand", 1)]) is None


async def test_deletions_count_what_they_delete(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.insert_many([{"_id": f"t{n}", "n": n} for n in range(5)])
    assert await tasks.delete_one({"_id": "t0"}) == 1
    assert await tasks.delete_one({"_id": "t0"}) == 0
    assert await tasks.delete_many({"n": {"$lt": 3}}) == 2
    assert await _field_by_id(database, "n") == {"t3": 3, "t4": 4}


async def test_counts_and_sums_are_of_the_documents_that_match(database: Database) -> None:
    tasks = database.collection("tasks")
    rows = [("a", "x", 2), ("b", "x", 3), ("c", "y", 5), ("d", "", 7)]
    await tasks.insert_many([{"_id": _id, "status": status, "cost": cost, "n": 3} for _id, status, cost in rows])
    assert await tasks.count({}) == 4
    assert await tasks.count({"cost": {"$gt": 2, "$lte": 5}}) == 2
    assert await tasks.count({"status": {"$eq": "none"}}) == 0
    assert await tasks.group_count({"cost": {"$gt": 2}}, "status") == {"x": 1, "y": 1, "": 1}
    sums = await tasks.group_sum({}, "status", ["cost", "n"])
    assert {status: each["count"] for status, each in sums.items()} == {"x": 2, "y": 1, "": 1}
    assert await database.collection("empty_ones").count({}) == 0
    assert await database.collection("empty_ones").group_count({}, "status") == {}


async def test_several_fields_are_summed_at_once(database: Database, request: pytest.FixtureRequest) -> None:
    tasks = database.collection("tasks")
    rows = [("a", "x", 2), ("b", "x", 3), ("c", "y", 5)]
    await tasks.insert_many([{"_id": _id, "status": status, "cost": cost, "n": 3} for _id, status, cost in rows])
    sums = await tasks.group_sum({}, "status", ["cost", "n"])
    on_mongodb = request.node.callspec.params["engine_location"] == "mongodb"
    if on_mongodb and is_ferretdb(request.getfixturevalue("mongodb")):
        pytest.skip("FerretDB 1 gets only the first of several accumulators right")
    assert sums == {"x": {"count": 2, "cost": 5, "n": 6}, "y": {"count": 1, "cost": 5, "n": 3}}


async def test_operations_are_counted_by_name(database: Database) -> None:
    tasks = database.collection("tasks")
    await tasks.insert_one({"_id": "a", "n": 1})
    with database.count() as counted:
        await tasks.insert_many([{"_id": f"t{n}", "n": n} for n in range(20)])
        await tasks.find({}, limit=20)
        await tasks.find({}, limit=20)
    assert counted == Counter({"insert_many": 1, "find": 2})
    assert database.operations.total() == counted.total() + 3  # Opening took two.


async def test_an_open_database_answers_a_ping(database: Database) -> None:
    await database.ping()


async def test_opening_again_finds_the_data_and_the_indexes(engine_location: str) -> None:
    if engine_location == "mock":
        pytest.skip("memory is forgotten")
    indexes = {"jobs": [Index(("name",)), Index(("owner", "name"))]}
    async with open_database(engine_location, indexes=indexes) as first:
        assert await first.collection("jobs").insert_one({"_id": "a", "owner": "x", "name": "n"})
    async with open_database(engine_location, indexes=indexes) as second:
        jobs = second.collection("jobs")
        assert await jobs.find_one({"_id": "a"}) == {"_id": "a", "owner": "x", "name": "n"}
        known = [list(dict(each["key"])) for each in (await jobs._motor.index_information()).values()]
        assert [keys for keys in known if keys != ["_id"]] == [["name"], ["owner", "name"]]


async def test_a_database_of_a_newer_schema_is_refused(database: Database) -> None:
    meta = database.collection("meta")
    await check_schema_version(meta)
    await meta.update_one({"_id": "schema"}, {"$set": {"version": SCHEMA_VERSION + 1}})
    with pytest.raises(NewerSchema, match=f"schema version {SCHEMA_VERSION + 1}"):
        await check_schema_version(meta)


async def test_a_database_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retries, "PATIENCE_S", 0.3)
    nobody = str(tmp_path / "nobody.sock").replace("/", "%2F")
    with pytest.raises(StorageUnavailable, match=r"nobody\.sock"):
        async with open_database(f"mongodb://{nobody}/", indexes={}):
            pass


async def test_an_operation_is_repeated_until_it_is_answered() -> None:
    tries = count(1)

    async def answer_the_third() -> int:
        if (number := next(tries)) < 3:
            raise AutoReconnect("lost")
        return number

    assert await retries.until_answered(answer_the_third) == 3


async def _field_by_id(database: Database, field: str) -> dict[str, Any]:
    found = await database.collection("tasks").find({}, limit=100)
    return {task["_id"]: task[field] for task in found}


async def test_a_field_that_documents_lack_adds_nothing_to_a_sum(
    database: Database, request: pytest.FixtureRequest
) -> None:
    things = database.collection("things")
    await things.insert_many([{"_id": "a", "kind": "old"}, {"_id": "b", "kind": "both"}])
    await things.insert_one({"_id": "c", "kind": "both", "size": 5})
    where = {"_id": {"$in": ["a", "b", "c"]}}
    sums = await things.group_sum(where, by="kind", fields=["size"])
    on_mongodb = request.node.callspec.params["engine_location"] == "mongodb"
    if on_mongodb and is_ferretdb(request.getfixturevalue("mongodb")):
        pytest.skip("FerretDB 1 gets only the first of several accumulators right")
    assert sums == {"old": {"count": 1, "size": 0}, "both": {"count": 2, "size": 5}}

"""The guard accepts the safe subset and refuses all else."""

from typing import Any

import pytest

from storage.engines import open_database
from storage.guard import Guard, UnsafeOperation


@pytest.fixture
def guard() -> Guard:
    return Guard("tasks")


@pytest.mark.parametrize(
    "name", ["", "Tasks", "tasks2", "my-tasks", "tasks.old", "system.tasks", "x_files", "x_chunks"]
)
def test_a_collection_name_has_lower_case_letters_and_underscores(name: str) -> None:
    with pytest.raises(UnsafeOperation, match="collection name"):
        Guard(name)


@pytest.mark.parametrize(
    "document",
    [
        {"n": 1},
        {"_id": 5},
        {"_id": "5"},
        {"_id": ""},
        {"_id": "a\0"},
        {"_id": "a\ud800"},
        {"_id": "a", "id": "b"},
        {"_id": "a", "n": None},
        {"_id": "a", "n": 2**63},
        {"_id": "a", "n": -(2**63) - 1},
        {"_id": "a", "n": float("nan")},
        {"_id": "a", "n": float("inf")},
        {"_id": "a", "n": b"bytes"},
        {"_id": "a", "n": object()},
        {"_id": "a", "s": "\ud800"},
        {"_id": "a", "l": [1, "x"]},
        {"_id": "a", "l": [1, 1.5]},
        {"_id": "a", "l": [{"x": 1}]},
        {"_id": "a", "l": [[1]]},
        {"_id": "a", "l": [None]},
        {"_id": "a", "l": ("x",)},
        {"_id": "a", "m": {"$date": 1}},
        {"_id": "a", "m": {"a.b": 1}},
        {"_id": "a", "m": {"1a": 1}},
        {"_id": "a", "m": {"__neosqlite_binary__": 1}},
        {"_id": "a", "m": {"": 1}},
        {"_id": "a", "m": {5: 1}},
        {"_id": "a", "m": {"x": {"y": None}}},
        {"_id": "a", "a.b": 1},
        {"_id": "a", "$a": 1},
        {"_id": "a", "a-b": 1},
    ],
)
def test_an_unsafe_document_is_refused(guard: Guard, document: dict[str, Any]) -> None:
    with pytest.raises(UnsafeOperation):
        guard.check_document(document)


def test_a_document_of_scalars_lists_and_maps_is_accepted(guard: Guard) -> None:
    guard.check_document(
        {
            "_id": "a-1:ü",
            "text": '{"$x": [null]}\0',
            "n": 2**63 - 1,
            "rand": 0.5,
            "open": True,
            "tags": ["x", "y"],
            "none": [],
            "counts": {"a-b:c": 1, "deep": {"l": [1, 2]}},
        }
    )


@pytest.mark.parametrize(
    "where",
    [
        {"_id": 5},
        {"_id": "5"},
        {"_id": {"$eq": "a"}},
        {"_id": {"$gt": "a"}},
        {"_id": {"$in": [5]}},
        {"_id": {"$in": "abc"}},
        {"_id": {"$in": ["a"], "$gt": "a"}},
        {"status": "ready"},
        {"n": 1},
        {"n": {}},
        {"n": {"x": 1}},
        {"n": None},
        {"n": {"$eq": None}},
        {"n": {"$eq": [1]}},
        {"n": {"$eq": {"x": 1}}},
        {"n": {"$in": [1, 2]}},
        {"n": {"$ne": 1}},
        {"n": {"$exists": True}},
        {"n": {"$eq": 1, "$gt": 0}},
        {"n": {"$gt": 1, "$lt": "x"}},
        {"n": {"$gt": 1, "$lt": 2.5}},
        {"n": {"$gt": True}},
        {"s": {"$eq": "a\0b"}},
        {"$or": [{"n": {"$eq": 1}}]},
        {"$and": [{"n": {"$eq": 1}}]},
        {"$expr": {"$eq": ["$a", "$b"]}},
        {"id": {"$eq": "a"}},
        {"m.1": {"$eq": 1}},
        {"m..k": {"$eq": 1}},
        {"m.$": {"$eq": 1}},
    ],
)
def test_an_unsafe_filter_is_refused(guard: Guard, where: dict[str, Any]) -> None:
    with pytest.raises(UnsafeOperation):
        guard.check_where(where)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"_id": "a"},
        {"_id": {"$in": []}},
        {"_id": {"$in": ["a", "b"]}, "status": {"$eq": "ready"}},
        {"n": {"$gt": 1, "$lte": 5}, "open": {"$eq": False}},
        {"s": {"$gte": "", "$lt": "x"}, "m.k-1": {"$eq": 0.5}},
    ],
)
def test_a_safe_filter_is_accepted(guard: Guard, where: dict[str, Any]) -> None:
    guard.check_where(where)


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"$set": {}},
        {"n": 1},
        [{"$set": {"n": 1}}],
        {"$set": {"_id": "b"}},
        {"$set": {"id": "b"}},
        {"$set": {"n": None}},
        {"$set": {"f": 1000000000000001.5}},
        {"$inc": {"f": 0.1 + 0.2}},
        {"$set": {"l": [{"x": 1}]}},
        {"$set": {"l.0": "x"}},
        {"$set": {"l.$": "x"}},
        {"$set": {"l.$[e]": "x"}},
        {"$set": {"m": {"a": 1}, "m.b": 1}},
        {"$set": {"m.a-b": 1, "m.a.c": 1}, "$inc": {"m.a": 1}},
        {"$set": {"n": 1}, "$inc": {"n": 1}},
        {"$inc": {"n": "x"}},
        {"$inc": {"n": True}},
        {"$max": {"s": "x"}},
        {"$setOnInsert": {"n": 1}},
        {"$unset": {"n": ""}},
        {"$push": {"l": "x"}},
        {"$pull": {"l": "x"}},
        {"$addToSet": {"l": "x"}},
        {"$rename": {"a": "b"}},
        {"$currentDate": {"at": True}},
        {"$mul": {"n": 2}},
    ],
)
def test_an_unsafe_update_is_refused(guard: Guard, update: Any) -> None:
    with pytest.raises((UnsafeOperation, AttributeError)):
        guard.check_update(update)


def test_an_update_with_each_operator_is_accepted(guard: Guard) -> None:
    guard.check_update(
        {
            "$set": {"s": "x", "m": {"a": 1}, "counts.a": 1},
            "$inc": {"n": 1, "counts.c": -1},
            "$min": {"low": 1},
            "$max": {"high": 1.5},
        }
    )


def test_a_field_keeps_its_type(guard: Guard) -> None:
    guard.check_document({"_id": "a", "n": 1, "rand": 0.5, "s": "", "l": ["x"], "open": True})
    guard.check_update({"$set": {"n": 2**40, "l": ["y"]}})
    updates: list[dict[str, Any]] = [
        {"$set": {"n": 1.0}},
        {"$inc": {"rand": 1}},
        {"$set": {"s": []}},
        {"$set": {"open": 1}},
    ]
    for update in updates:
        with pytest.raises(UnsafeOperation, match="in a field of type"):
            guard.check_update(update)
    with pytest.raises(UnsafeOperation, match="in a field of type"):
        guard.check_where({"l": {"$eq": "x"}})


@pytest.mark.parametrize("sort", [[("_id", 1)], [("n", 0)], [("n", "asc")], [("a-b", 1)]])
def test_an_unsafe_order_is_refused(guard: Guard, sort: Any) -> None:
    with pytest.raises(UnsafeOperation):
        guard.check_order(sort)


@pytest.mark.parametrize("fields", [["m.k"], ["id"], ["$n"]])
def test_only_whole_fields_are_returned(guard: Guard, fields: list[str]) -> None:
    with pytest.raises(UnsafeOperation):
        guard.check_fields(fields)


async def test_every_operation_of_a_collection_is_guarded() -> None:
    async with open_database("mock", indexes={}) as database:
        tasks = database.collection("tasks")
        bad: dict[str, Any] = {"n": 1}
        change = {"$set": {"n": 1}}
        with database.count() as counted:
            for unsafe in (
                tasks.find_one(bad),
                tasks.find_one({}, ["m.k"]),
                tasks.find(bad, limit=1),
                tasks.find({}, limit=1, sort=[("_id", 1)]),
                tasks.find({}, limit=1, projection=["m.k"]),
                tasks.insert_one(bad),
                tasks.insert_many([bad]),
                tasks.update_one(bad, change),
                tasks.update_one({}, bad),
                tasks.update_many(bad, change),
                tasks.update_many({}, bad),
                tasks.find_one_and_update(bad, change, [("n", 1)]),
                tasks.find_one_and_update({}, bad, [("n", 1)]),
                tasks.find_one_and_update({}, change, [("_id", 1)]),
                tasks.delete_one(bad),
                tasks.delete_many(bad),
                tasks.count(bad),
                tasks.group_count(bad, "n"),
                tasks.group_count({}, "$n"),
                tasks.group_sum({}, "n", ["m.k"]),
            ):
                with pytest.raises(UnsafeOperation):
                    await unsafe
        assert not counted
        with pytest.raises(UnsafeOperation):
            database.collection("Tasks")

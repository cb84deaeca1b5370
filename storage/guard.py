"""Refuses what the engines answer differently, often silently.

What the embedded engine does outside the safe subset, seen with the pinned version: an equality that isn't
written as `$eq` scans the collection, documents in lists turn into text, keys like `$date` turn into other
types, text with a NUL is never found, parts of a field come back under their path, and collections named like
those of GridFS lose updates. Two operators on one path are refused by some engines, and carried out in
different orders by the others. Values of several types in one field are sorted differently.

A check takes a hundredth of the time of the operation that follows it, so it is always made.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

_COLLECTION_NAME = re.compile(r"[a-z_]+")
_GRIDFS_ENDINGS = ("_files", "_chunks")  # The embedded engine keeps such collections elsewhere.
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAP_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_:-]*")
_PATH = re.compile(rf"{_FIELD_NAME.pattern}(\.{_MAP_KEY.pattern})*")
_ID = re.compile(r"[A-Za-z][^\0]*")

_RANGES = frozenset({"$gt", "$gte", "$lt", "$lte"})
_EQUAL = frozenset({"$eq"})
_NUMBERS = frozenset({"$inc", "$min", "$max"})

_INT64 = 2**63


class UnsafeOperation(Exception):
    """The operation is outside the safe subset: the engines would answer it differently, often silently."""


def check_collection_name(name: str) -> None:
    """Accept a name of lower-case letters and underscores that is not taken for one of GridFS.

    Raises:
        UnsafeOperation: any other name.
    """
    if not _COLLECTION_NAME.fullmatch(name) or name.endswith(_GRIDFS_ENDINGS):
        raise UnsafeOperation(f"{name!r} is not a safe collection name")


class Guard:
    """Checks the operations of one collection, and that each of its fields keeps one type.

    Every method raises `UnsafeOperation` for what it doesn't accept.
    """

    def __init__(self, collection: str) -> None:
        check_collection_name(collection)
        self._collection = collection
        self._types: dict[str, type] = {}

    def check_document(self, document: Mapping[str, Any]) -> None:
        """Accept a document to insert."""
        if "_id" not in document:
            self._refuse("_id", "a document needs its own")
        for field, value in document.items():
            if field == "_id":
                self._check_id(value)
            else:
                self._check_path(field, whole=True)
                self._check_value(field, value)

    def check_where(self, where: Mapping[str, Any]) -> None:
        """Accept `_id` equality, `_id` `$in`, and `$eq` or a range of one type on other fields."""
        for path, condition in where.items():
            if path == "_id":
                self._check_id_condition(condition)
            else:
                self._check_path(path)
                self._check_condition(path, condition)

    def check_update(self, update: Mapping[str, Any]) -> None:
        """Accept the operators of the safe subset, on paths that don't overlap."""
        paths: list[list[str]] = []
        for operator, changes in update.items():
            if not isinstance(changes, Mapping) or not changes:
                self._refuse(operator, "an operator needs the paths that it changes")
            for path, value in changes.items():
                self._check_path(path)
                self._check_change(operator, path, value)
                paths.append(path.split("."))
        if not paths:
            self._refuse("update", "it changes nothing")
        paths.sort()
        for names, following in pairwise(paths):
            if following[: len(names)] == names:
                self._refuse(".".join(names), "two operators change it")

    def check_order(self, sort: Sequence[tuple[str, int]]) -> None:
        """Accept a sort by fields other than `_id`, which an index has only as a copy."""
        for path, direction in sort:
            self._check_path(path)
            if direction not in (1, -1):
                self._refuse(path, f"no such sort direction: {direction!r}")

    def check_fields(self, fields: Iterable[str]) -> None:
        """Accept the names of top-level fields: the engines return parts of one in different ways."""
        for field in fields:
            self._check_path(field, whole=True)

    def _check_id_condition(self, condition: object) -> None:
        if not isinstance(condition, Mapping):
            self._check_id(condition)
        elif set(condition) == {"$in"} and isinstance(condition["$in"], list):
            for _id in condition["$in"]:
                self._check_id(_id)
        else:
            self._refuse("_id", "only equality and $in of a list are safe")

    def _check_condition(self, path: str, condition: object) -> None:
        if not isinstance(condition, Mapping):
            self._refuse(path, "write equality as {'$eq': ...}: an implicit one scans the collection")
        operators = condition.keys()
        if operators != _EQUAL and not (operators and operators <= _RANGES):
            self._refuse(path, f"only $eq alone or a range is safe, not {sorted(operators)}")
        if len({type(value) for value in condition.values()}) > 1:
            self._refuse(path, "a range of several types")
        for operator, value in condition.items():
            if isinstance(value, list | dict) or (isinstance(value, bool) and operator != "$eq"):
                self._refuse(path, f"{operator} takes a number or a string")
            self._check_value(path, value)
            if isinstance(value, str) and "\0" in value:
                self._refuse(path, "the embedded engine finds no text with a NUL")

    def _check_change(self, operator: str, path: str, value: object) -> None:
        if isinstance(value, float) and float(f"{value:.15g}") != value:
            self._refuse(path, f"the embedded engine keeps 15 digits of a float that is set, and {value!r} has more")
        if operator == "$set":
            self._check_value(path, value)
        elif operator in _NUMBERS:
            if isinstance(value, bool) or not isinstance(value, int | float):
                self._refuse(path, f"{operator} takes a number")
            self._check_value(path, value)
        else:
            self._refuse(path, f"{operator} is not safe")

    def _check_id(self, _id: object) -> None:
        if not isinstance(_id, str) or not _ID.fullmatch(_id):
            self._refuse("_id", f"{_id!r} is no text without NUL that starts with a letter")
        self._check_text("_id", _id)

    def _check_path(self, path: object, *, whole: bool = False) -> None:
        names = _FIELD_NAME if whole else _PATH
        if not isinstance(path, str) or not names.fullmatch(path) or path in ("_id", "id"):
            self._refuse(str(path), "not a safe field name")

    def _check_value(self, path: str, value: object) -> None:
        # A large integer comes back as a subclass of int, and an enum's text goes in as one of str.
        kind = next((base for base in (bool, int, str) if isinstance(value, base)), type(value))
        if "." not in path and self._types.setdefault(path, kind) is not kind:
            self._refuse(path, f"{kind.__name__} in a field of type {self._types[path].__name__}")
        if isinstance(value, dict):
            for key, inner in value.items():
                if not isinstance(key, str) or not _MAP_KEY.fullmatch(key):
                    self._refuse(path, f"not a safe map key: {key!r}")
                self._check_value(f"{path}.{key}", inner)
        elif isinstance(value, list):
            if len({type(item) for item in value}) > 1:
                self._refuse(path, "a list of several types")
            for item in value:
                self._check_scalar(path, item)
        else:
            self._check_scalar(path, value)

    def _check_scalar(self, path: str, value: object) -> None:
        if isinstance(value, str):
            self._check_text(path, value)
        elif isinstance(value, bool):
            return
        elif isinstance(value, int):
            if not -_INT64 <= value < _INT64:
                self._refuse(path, f"{value} doesn't fit 64 bits")
        elif not isinstance(value, float):
            self._refuse(path, f"a {type(value).__name__} doesn't come back as it was stored")
        elif value - value != 0:
            self._refuse(path, f"{value} is no finite number")

    def _check_text(self, path: str, text: str) -> None:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                self._refuse(path, "the text has a lone surrogate")

    def _refuse(self, path: str, why: str) -> NoReturn:
        raise UnsafeOperation(f"{self._collection}.{path}: {why}")

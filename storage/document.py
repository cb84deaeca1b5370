"""What a collection stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self


@dataclass(slots=True, kw_only=True)
class Document:
    """One flat dataclass a collection.

    Every field is a scalar or a dict of scalars, times are integer milliseconds since the epoch, JSON that users
    brought is kept as the text it arrived in, and an absent value is `""` or `0`: the safe subset on which every engine
    agrees. `id` is stored as `_id`; `seq` is a time-ordered copy of it that lists page by.
    """

    stored_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """The fields that are stored under an older name, so that what was stored stays readable."""

    id: str

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """The document that a collection returned. Fields that a newer minor version added are ignored."""
        known = {name: stored[at] for name, at in _names(cls) if at in stored}
        return cls(id=stored["_id"], **known)

    def dump(self) -> dict[str, Any]:
        """What a collection stores."""
        stored = {at: getattr(self, name) for name, at in _names(type(self))}
        return {"_id": stored.pop("id"), **stored}


_names_of: dict[type[Any], list[tuple[str, str]]] = {}


def _names(kind: type[Any]) -> list[tuple[str, str]]:
    """The names of a kind's fields, in code and as they are stored. Kept: every document that is read needs them."""
    if kind not in _names_of:
        _names_of[kind] = [(f.name, kind.stored_names.get(f.name, f.name)) for f in fields(kind)]
    return _names_of[kind]

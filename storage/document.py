"""What a collection stores."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(slots=True, kw_only=True)
class Document:
    id: str

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """The document of what a collection answered. Fields that a newer minor version added are ignored."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        return cls(id=stored["_id"], **known)

    def dump(self) -> dict[str, Any]:
        """What a collection stores."""
        stored = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"_id": stored.pop("id"), **stored}

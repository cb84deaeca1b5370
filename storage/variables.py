from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from storage.deletable import Deletable
from storage.engines import Index
from storage.units import Unit, Units, UnitState


@dataclass(slots=True, kw_only=True)
class Variable(Unit):
    """One standing input of a job."""

    key: str
    """Its name within the job."""
    request: str = ""
    """The mark of the request that made it, if that had an idempotency key."""
    size: int = 0
    """Bytes of its value."""

    @staticmethod
    def id_of(job: str, key: str) -> str:
        return f"var:{job}:{key}"


class Variables(Units[Variable], Deletable[Variable]):
    collection_name = "variables"
    kind = Variable
    indexes = (
        Index(("job", "seq")),
        Index(("job", "state", "seq")),
        Index(("job", "state", "rand")),
        Index(("state", "due")),
    )

    async def sizes(self, job: str) -> dict[str, dict[str, int]]:
        """The `count` and the `size` of a job's variables, by state."""
        return await self._collection.group_sum({"job": {"$eq": job}}, by="state", fields=["size"])

    async def by_key(self, job: str, key: str) -> Variable | None:
        return await self.get(Variable.id_of(job, key))

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        """Nobody computes or decides them any more."""
        ended = {"state": UnitState.DELETED, "due": remove_at, "finished_at": remove_at}
        return await super().delete(ids, remove_at=remove_at, **ended, **changes)

    async def removable_with_tasks(self, now: int, limit: int) -> dict[str, list[str]]:
        """As `with_tasks`, those that are to be removed now. By their state: only a job's variables are in order."""
        return await self._with_tasks({"state": {"$eq": UnitState.DELETED}, "due": {"$lt": now}}, limit)

    async def wanted(
        self,
        job: str,
        *,
        origin: float,
        last: float | None,
        limit: int,
        state: UnitState = UnitState.OPEN,
        backwards: bool = False,
    ) -> list[Variable]:
        """OPEN variables (or those of another state) in the random order that begins at `origin` in [0, 1) and
        wraps around, those after the position `last` (None: from the start); `backwards`: those right before it (or
        the end), in the same order."""
        edges = _before(origin, last) if backwards else _behind(origin, last)
        found: list[dict[str, Any]] = []
        for edge in edges:
            if len(found) < limit:
                found += await self._collection.find(
                    {"job": {"$eq": job}, "state": {"$eq": state}, "rand": edge},
                    sort=[("rand", -1 if backwards else 1)],
                    limit=limit - len(found),
                )
        return [Variable.load(each) for each in (reversed(found) if backwards else found)]


def _behind(origin: float, last: float | None) -> list[dict[str, float]]:
    """The stretches of the circle that begins at `origin` after the position `last`, the nearest first."""
    if last is None:
        return [{"$gte": origin}, {"$lt": origin}]
    if last >= origin:
        return [{"$gt": last}, {"$lt": origin}]
    return [{"$gt": last, "$lt": origin}]


def _before(origin: float, last: float | None) -> list[dict[str, float]]:
    """The same before the position `last`."""
    if last is None:
        return [{"$lt": origin}, {"$gte": origin}]
    if last >= origin:
        return [{"$gte": origin, "$lt": last}]
    return [{"$lt": last}, {"$gte": origin}]

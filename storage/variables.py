from __future__ import annotations

from typing import Any

from storage.documents import UnitState, Variable
from storage.engines import Index
from storage.units import Units


class Variables(Units[Variable]):
    collection_name = "variables"
    kind = Variable
    indexes = (
        Index(("job", "seq")),
        Index(("job", "state", "seq")),
        Index(("job", "state", "rand")),
        Index(("state", "due")),
    )

    async def by_key(self, job: str, key: str) -> Variable | None:
        return await self.get(Variable.id_of(job, key))

    async def wanted(
        self, job: str, *, origin: float, last: float | None, limit: int, state: UnitState = UnitState.OPEN
    ) -> list[Variable]:
        """OPEN variables (or those of another state) in the random order that begins at `origin` in [0, 1) and
        wraps around, those behind the position `last` (None: from the start)."""
        if last is None:
            edges = [{"$gte": origin}, {"$lt": origin}]
        elif last >= origin:
            edges = [{"$gt": last}, {"$lt": origin}]
        else:
            edges = [{"$gt": last, "$lt": origin}]
        found: list[dict[str, Any]] = []
        for edge in edges:
            if len(found) < limit:
                found += await self._collection.find(
                    {"job": {"$eq": job}, "state": {"$eq": state}, "rand": edge},
                    sort=[("rand", 1)],
                    limit=limit - len(found),
                )
        return [Variable.load(each) for each in found]

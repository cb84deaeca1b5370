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

    async def some(self, job: str, *, state: UnitState, start: float, limit: int) -> list[Variable]:
        """Up to `limit` variables in the random order that begins at `start` in [0, 1) and wraps around."""

        def wanted(edge: dict[str, float]) -> dict[str, Any]:
            return {"job": {"$eq": job}, "state": {"$eq": state}, "rand": edge}

        order = [("rand", 1)]
        found = await self._collection.find(wanted({"$gte": start}), sort=order, limit=limit)
        if len(found) < limit:
            rest = limit - len(found)
            found += await self._collection.find(wanted({"$lt": start}), sort=order, limit=rest)
        return [Variable.load(each) for each in found]

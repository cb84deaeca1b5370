"""Reading what was reported."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.visibility import may_read
from resolvers.errors import NotFound
from resolvers.identifiers import RESULT_NUMBER, TASK_ID, checked_cursor
from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKinds
from storage import Result, Task, Unit


async def page(
    runtime: Runtime, unit: Unit, *, first: int, after: str = "", backwards: bool = False
) -> Sequence[Result]:
    """A unit's results in the order in which they came."""
    cursor = checked_cursor(after)
    return await runtime.store.results.page({"unit": unit.id}, first=first, after=cursor, backwards=backwards)


async def of_job(runtime: Runtime, job_key: str, *, first: int, after: str = "") -> Sequence[Result]:
    """What was reported for a job's variables and runs, the newest first."""
    cursor = checked_cursor(after)
    return await runtime.store.results.page({"job": job_key}, first=first, after=cursor, newest_first=True)


async def get(runtime: Runtime, unit: Unit, number: str, principal: Principal = EVERYBODY) -> Result:
    """A result of a unit that the principal may read. Raises NotFound."""
    named = RESULT_NUMBER.fullmatch(number)
    result = await runtime.store.results.get(Task.id_of(unit.id, number)) if named else None
    if result is None or not await may_read(runtime, principal, result):
        raise NotFound(f"there is no result {number[:100]!r} of this variable")
    return result


async def canonical(runtime: Runtime, unit: Unit) -> Result | None:
    """The result that a unit's quorum agreed on, or None."""
    return await runtime.store.results.get(Task.id_of(unit.id, unit.canonical)) if unit.canonical else None


async def by_id(runtime: Runtime, result_id: str, principal: Principal = EVERYBODY) -> Result:
    """A result that the principal may read. Raises NotFound, also for a result of what is deleted."""
    result = await stored(runtime, result_id)
    if not await runtime.part(UnitKinds).is_there(result.unit) or not await may_read(runtime, principal, result):
        raise _no_such(result_id)
    return result


async def stored(runtime: Runtime, result_id: str) -> Result:
    """The same for who knows that its unit is there."""
    result = await runtime.store.results.get(result_id) if TASK_ID.fullmatch(result_id) else None
    if result is None:
        raise _no_such(result_id)
    return result


def _no_such(result_id: str) -> NotFound:
    return NotFound(f"there is no result {result_id[:200]!r}")

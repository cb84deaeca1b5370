"""Which results the owner's `compareResults(a, b)` calls equal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cachetools import LRUCache

from resolvers import functions
from resolvers.errors import Unavailable
from resolvers.runtime import Runtime
from storage import Job, Result

MOST_REMEMBERED = 20_000

Pair = tuple[str, str, str]


class Comparisons:
    """What was compared lately in this process, so that a new result is compared and old ones are not compared anew."""

    def __init__(self, _: Runtime) -> None:
        self.known: LRUCache[Pair, bool] = LRUCache(MOST_REMEMBERED)


async def classes(runtime: Runtime, job: Job, results: Sequence[Result]) -> dict[str, str]:
    """For the number of each result the number of the first result that it is equal to, which may be itself.

    Each is compared with the first of each class only, as equality is transitive: that is at most as many calls as
    there are results.

    Raises Unavailable where the function can't be asked now.
    """
    firsts: list[Result] = []
    found: dict[str, str] = {}
    for result in results:
        same = await _equal(runtime, job, firsts, result) if firsts else None
        if same is None:
            firsts.append(result)
        found[result.number] = (same or result).number
    return found


async def _equal(runtime: Runtime, job: Job, firsts: Sequence[Result], result: Result) -> Result | None:
    """The first of `firsts` that is equal to the result."""
    known = runtime.part(Comparisons).known
    function = hashlib.sha256(job.compare_results.encode("utf-8", "surrogatepass")).hexdigest()
    pairs = {each.number: (function, each.digest, result.digest) for each in firsts}
    fresh = [each for each in firsts if known.get(pairs[each.number]) is None]
    outcomes = await functions.call(runtime, job, "compare_results", [(each.value, result.value) for each in fresh])
    for each, outcome in zip(fresh, outcomes, strict=True):
        if problem := functions.unavailable(outcome):
            raise Unavailable(f"compare_results can't be asked now: {problem}")
        known[pairs[each.number]] = functions.is_truthy(outcome)
    return next((each for each in firsts if known.get(pairs[each.number])), None)

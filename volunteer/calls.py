"""The calls of the pool's API that a volunteer makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from comp_pool import NotAPool, PoolClient, PoolRefused, Refusal
from comp_pool.errors import error_of
from volunteer.events import Event, Standing, Warned

_Answer = TypeVar("_Answer")

CLAIM = """mutation Claim($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork retryAfterSeconds userErrors { field message code retryAfterSeconds }
  tasks { id variable context lease { token } job { key sha256 policy { delayBoundSeconds } } }
} }"""
SOURCE = "query Source($key: String!) { job(key: $key) { executeFunction } }"
SUBMIT = """mutation Submit($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict reason } userErrors { field message code retryAfterSeconds }
} }"""
EXTEND = """mutation Extend($input: ExtendLeaseInput!) { extendLease(input: $input) {
  leases { deadline } userErrors { field message code retryAfterSeconds }
} }"""
RELEASE = """mutation Release($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { field message code retryAfterSeconds }
} }"""
STANDING = "query Standing($key: String!) { host(key: $key) { valid invalid failed } }"


@dataclass(frozen=True, slots=True)
class LeasedTask:
    """A task to compute: the arguments of its job's function, and how long a lease of it runs, in seconds."""

    id: str
    lease: str
    job: str
    sha256: str
    variable: Any
    context: Any
    delay_bound_s: float

    @classmethod
    def of(cls, task: dict[str, Any]) -> LeasedTask:
        job = task["job"]
        return cls(
            id=task["id"],
            lease=task["lease"]["token"],
            job=job["key"],
            sha256=job["sha256"],
            variable=task["variable"],
            context=task["context"],
            delay_bound_s=job["policy"]["delayBoundSeconds"],
        )

    @property
    def held(self) -> dict[str, str]:
        return {"task": self.id, "lease": self.lease}


@dataclass(frozen=True, slots=True)
class Claim:
    tasks: list[LeasedTask]
    host: str
    why_no_work: str
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was computed for a task: `value` and `context`, or `error`."""

    task: LeasedTask
    elapsed_ms: int
    value: Any = None
    context: Any = None
    error: str | None = None

    def dump(self) -> dict[str, Any]:
        outcome = {"value": self.value, "context": self.context} if self.error is None else {"error": self.error}
        return {**self.task.held, "elapsedMilliseconds": self.elapsed_ms, **outcome}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The verdict on a report that was taken, or why it was refused."""

    verdict: str = ""
    reason: str = ""
    refusal: Refusal | None = None


class PoolCalls:
    """A pool as a volunteer sees it. Every call raises what `PoolClient.mutate` raises.

    Volunteering takes no token. Where the pool does not take the one that there is any more, the calls are made
    without it from then on, so that nothing that was computed is lost. One that it never took is most likely mistyped:
    then nothing is computed yet, and the refusal is raised.
    """

    def __init__(self, client: PoolClient, tell: Callable[[Event], None] = lambda _: None) -> None:
        self._client = client
        self._tell = tell
        self._was_taken = False
        """Whether the pool has taken the token."""

    async def claim(self, *, host: str, name: str, wanted: Mapping[str, Any]) -> Claim:
        """Tasks for the host with this token; empty: a new host. `wanted`: further inputs of the claim."""
        payload = await self._asked(partial(self._client.mutate, CLAIM, host=host or None, hostName=name, **wanted))
        return Claim(
            [LeasedTask.of(task) for task in payload["tasks"]],
            payload["host"] or "",
            payload["whyNoWork"] or "",
            payload["retryAfterSeconds"] or 0,
        )

    async def source(self, job: str) -> str:
        """The text of a job's function; empty if the pool has no such job any more."""
        answer = await self._asked(partial(self._client.call, SOURCE, key=job))
        if "job" not in answer:
            raise NotAPool(f"no comp-pool answers at {self._client.url}: it was asked for a job")
        return str(answer["job"]["executeFunction"]) if answer["job"] else ""

    async def submit(self, host: str, reports: Sequence[Report]) -> list[Receipt]:
        """One receipt for each report, in order."""
        answers = await self._one_by_one(
            SUBMIT, "results", len(reports), host=host, results=[report.dump() for report in reports]
        )
        return [
            Receipt(refusal=answer)
            if isinstance(answer, Refusal)
            else Receipt(answer["verdict"], answer["reason"] or "")
            for answer in answers
        ]

    async def extend(self, tasks: Sequence[LeasedTask]) -> list[LeasedTask]:
        """Have leases run on; those that are held no longer."""
        answers = await self._one_by_one(EXTEND, "leases", len(tasks), tasks=[task.held for task in tasks])
        return [task for task, answer in zip(tasks, answers, strict=True) if isinstance(answer, Refusal)]

    async def release(self, tasks: Sequence[LeasedTask]) -> int:
        call = partial(self._client.mutate, RELEASE, tasks=[task.held for task in tasks])
        return int((await self._asked(call))["released"])

    async def standing(self, host_key: str) -> Standing | None:
        """The record of a host; None if the pool does not know it."""
        host = (await self._asked(partial(self._client.call, STANDING, key=host_key))).get("host")
        return Standing(host_key, host["valid"], host["invalid"], host["failed"]) if host else None

    async def _one_by_one(self, document: str, name: str, count: int, **input_: Any) -> list[dict[str, Any] | Refusal]:
        """What a mutation of `count` things answers for each: an item of its payload's list `name`, or a refusal where
        the list has null.

        Raises what `PoolClient.mutate` raises if the call is refused as a whole, and NotAPool for an answer that does
        not say what became of each.
        """
        items, refusals = await self._asked(partial(self._in_part, document, name, **input_))
        if not isinstance(items, list) or len(items) != count or items.count(None) != len(refusals):
            answered = len(items) if isinstance(items, list) else "no"
            raise NotAPool(f"{self._client.url} answered {answered} {name} and {len(refusals)} errors for {count}")
        refused = iter(refusals)
        return [next(refused) if item is None else item for item in items]

    async def _in_part(self, document: str, name: str, **input_: Any) -> tuple[Any, list[Refusal]]:
        payload = await self._client.mutate_in_part(document, **input_)
        items, refusals = payload.get(name), [Refusal.of(error) for error in payload["userErrors"]]
        if refusals and not items:
            raise error_of(refusals, url=self._client.url)
        return items, refusals

    async def _asked(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """What the pool answers, without the account's token if it does not take that."""
        showed_token = self._client.has_token
        try:
            answer = await call()
        except PoolRefused as refused:
            if not (showed_token and self._was_taken and refused.refusal.is_of_the_token):
                raise
            if self._client.has_token:
                self._client.forget_token()
                why = refused.refusal.message
                self._tell(Warned(f"the pool does not take the account's token: {why}; this host goes on without it"))
            return await call()
        self._was_taken = self._was_taken or showed_token
        return answer

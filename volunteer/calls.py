"""The calls of the pool's API that a volunteer makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comp_pool import PoolClient, PoolRefused, Refusal
from volunteer.events import Standing

CLAIM = """mutation Claim($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork retryAfterSeconds userErrors { field message code }
  tasks { id variable context lease { token } job { key sha256 policy { delayBoundSeconds } } }
} }"""
SOURCE = "query Source($key: String!) { job(key: $key) { executeFunction } }"
SUBMIT = """mutation Submit($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict reason } userErrors { field message code }
} }"""
EXTEND = """mutation Extend($input: ExtendLeaseInput!) { extendLease(input: $input) {
  leases { deadline } userErrors { field message code }
} }"""
RELEASE = """mutation Release($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { field message code }
} }"""
STANDING = "query Standing($key: String!) { host(key: $key) { valid invalid failed } }"

LEASE_LOST = "LEASE_LOST"


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
    error: str = ""

    def dump(self) -> dict[str, Any]:
        outcome = {"error": self.error} if self.error else {"value": self.value, "context": self.context}
        return {**self.task.held, "elapsedMilliseconds": self.elapsed_ms, **outcome}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The verdict on a report that was taken, or why it was refused."""

    verdict: str = ""
    reason: str = ""
    refusal: Refusal | None = None


class PoolCalls:
    """A pool as a volunteer sees it. Every call raises what `PoolClient.mutate` raises."""

    def __init__(self, client: PoolClient) -> None:
        self._client = client

    async def claim(self, *, host: str, name: str, first: int, wanted: dict[str, Any]) -> Claim:
        """Up to `first` tasks, for the host with this token; empty: a new host. `wanted`: further inputs."""
        payload = await self._client.mutate(CLAIM, host=host or None, hostName=name, first=first, **wanted)
        return Claim(
            [LeasedTask.of(task) for task in payload["tasks"]],
            payload["host"],
            payload["whyNoWork"] or "",
            payload["retryAfterSeconds"] or 0,
        )

    async def source(self, job: str) -> str:
        return str((await self._client.call(SOURCE, key=job))["job"]["executeFunction"])

    async def submit(self, host: str, reports: Sequence[Report]) -> list[Receipt]:
        """One receipt for each report, in order."""
        payload = await self._client.mutate_in_part(SUBMIT, host=host, results=[each.dump() for each in reports])
        results, refusals = payload["results"], [Refusal.of(error) for error in payload["userErrors"]]
        if len(results) != len(reports):
            raise PoolRefused(refusals[0])
        refused = iter(refusals)
        return [
            Receipt(refusal=next(refused)) if result is None else Receipt(result["verdict"], result["reason"] or "")
            for result in results
        ]

    async def extend(self, tasks: Sequence[LeasedTask]) -> list[LeasedTask]:
        """Have leases run on; those that are held no longer."""
        try:
            await self._client.mutate(EXTEND, tasks=[task.held for task in tasks])
        except PoolRefused as refused:
            if refused.refusal.code != LEASE_LOST:
                raise
            if len(tasks) == 1:
                return list(tasks)
            return [lost for task in tasks for lost in await self.extend([task])]
        return []

    async def release(self, tasks: Sequence[LeasedTask]) -> int:
        return int((await self._client.mutate(RELEASE, tasks=[task.held for task in tasks]))["released"])

    async def standing(self, host_key: str) -> Standing:
        host = (await self._client.call(STANDING, key=host_key))["host"]
        return Standing(host_key, host["valid"], host["invalid"], host["failed"])

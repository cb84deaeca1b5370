"""What an account has in the pool, and how much it may have."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, replace

from resolvers.errors import QuotaExceeded
from resolvers.functions import OF_A_JOB
from resolvers.json_text import size_of
from resolvers.runtime import Runtime
from storage import Job, UnitState

KNOWN_FOR_S = 1.0
COUNTING_SHARE = 20
"""Counting takes one part in so many of the time, at most."""
FLOW_JOB_BYTES = 500
JOBS_A_PAGE = 100
OPEN = frozenset({UnitState.NEW, UnitState.OPEN})


@dataclass(slots=True)
class Usage:
    """Bytes that are stored, and variables (with the jobs of flows) and flows that are not finished."""

    bytes: int = 0
    variables: int = 0
    flows: int = 0

    def add(self, more: Usage) -> None:
        self.bytes += more.bytes
        self.variables += more.variables
        self.flows += more.flows


@dataclass(slots=True)
class _Known:
    usage: Usage
    until: float


class Quotas:
    """Counts what accounts have from what is stored, so that nothing that ends a process makes the count wrong.

    A count is used for a second, or for twenty times as long as it took; what this process adds meanwhile is added to
    it, also for requests that fail later on. What other processes add is seen by the next count.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: dict[str, _Known] = {}
        self._counting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, account: str, wanted: Usage) -> None:
        """Count something that is about to be stored for an account (empty: for nobody, which is free).

        Raises QuotaExceeded.
        """
        limits = self._runtime.limits
        if not account or not (limits.account_bytes or limits.account_variables or limits.account_flows):
            return
        async with self._counting[account]:
            usage = await self._usage(account)
            self._check(account, "bytes", usage.bytes, wanted.bytes, limits.account_bytes)
            self._check(account, "unfinished variables", usage.variables, wanted.variables, limits.account_variables)
            self._check(account, "unfinished flows", usage.flows, wanted.flows, limits.account_flows)
            usage.add(wanted)

    async def usage(self, account: str) -> Usage:
        """What is stored for an account, as `take` knows it."""
        async with self._counting[account]:
            return replace(await self._usage(account))

    def _check(self, account: str, what: str, used: int, wanted: int, most: int) -> None:
        if most and wanted and used + wanted > most:
            raise QuotaExceeded(
                f"the account {account!r} has {used:,} of {most:,} {what}, and this takes {wanted:,} more: wait until "
                "something is finished, delete what is not needed, or ask the pool's operator for more"
            )

    async def _usage(self, account: str) -> Usage:
        known = self._known.get(account)
        if known is None or self._runtime.seconds() >= known.until:
            began = time.monotonic()
            usage = await count(self._runtime, account)
            took_s = time.monotonic() - began
            known = _Known(usage, self._runtime.seconds() + max(KNOWN_FOR_S, COUNTING_SHARE * took_s))
            self._known[account] = known
        return known.usage


async def count(runtime: Runtime, account: str) -> Usage:
    """What is stored for an account."""
    usage = Usage()
    after = ""
    while jobs := await runtime.store.jobs.page({"account": account}, first=JOBS_A_PAGE, after=after):
        for job in jobs:
            usage.add(await _of_job(runtime, job))
        after = jobs[-1].seq
    for ended, flows in (await runtime.store.flows.sums(account)).items():
        usage.bytes += FLOW_JOB_BYTES * flows["jobs"]
        if not ended:
            usage.add(Usage(variables=flows["jobs"], flows=flows["count"]))
    return usage


async def _of_job(runtime: Runtime, job: Job) -> Usage:
    by_state = await runtime.store.variables.sizes(job.key)
    return Usage(
        bytes=size_of(job.metadata, *(getattr(job, name) for name in OF_A_JOB))
        + sum(each["size"] for each in by_state.values())
        + await runtime.store.results.size(job.key),
        variables=sum(each["count"] for state, each in by_state.items() if state in OPEN),
    )

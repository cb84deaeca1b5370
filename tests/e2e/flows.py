"""Flows over HTTP, and volunteers that compute them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from comp_pool import PoolClient, PoolUnavailable
from tests.resolvers.flows.model import Failure, Job, Level
from tests.resolvers.flows.written import compute
from volunteer.calls import LeasedTask, PoolCalls, Report

SUBMIT = """mutation Submit($input: SubmitFlowInput!) {
  submitFlow(input: $input) { flow { key jobCount } userErrors { field message code } }
}"""


def submission(level: Level) -> dict[str, Any]:
    """The level as `submitFlow` takes it."""
    return {"jobs": [_job(each) for each in level.jobs], "dependent": [submission(each) for each in level.dependent]}


def _job(job: Job) -> dict[str, Any]:
    given: dict[str, Any] = {"job": job.job, "variable": job.variable}
    given |= {"if": job.condition.source} if job.condition else {}
    return given | ({"while": job.repeat.source} if job.repeat else {})


class Volunteer:
    """A host that never gives up on a report, takes up to `most` tasks at once and `pause_s` seconds over them, and
    asks again after `idle_s` seconds where there were none."""

    def __init__(
        self,
        clients: Sequence[PoolClient],
        chance: random.Random,
        most: int = 20,
        pause_s: float = 0.0,
        idle_s: float = 0.05,
    ) -> None:
        self._most = most
        self._pause_s = pause_s
        self._idle_s = idle_s
        self._pools = [PoolCalls(client) for client in clients]
        self._chance = chance
        self._host = ""

    async def work(self, ended: asyncio.Event) -> None:
        key, repeated = uuid4().hex, False
        while not ended.is_set():
            pool, first = self._chance.choice(self._pools), self._chance.randint(1, self._most)
            wanted = {"idempotencyKey": key, "repeated": repeated}
            try:
                claim = await pool.claim(host=self._host, name="", wanted={**wanted, "first": first})
            except PoolUnavailable:
                repeated = True
                await asyncio.sleep(0.1)
                continue
            self._host, key, repeated = claim.host, uuid4().hex, False
            if claim.tasks:
                await self._report(claim.tasks, ended)
            else:
                await asyncio.sleep(self._idle_s)

    async def _report(self, tasks: Sequence[LeasedTask], ended: asyncio.Event) -> None:
        reports = [_computed(task) for task in tasks]
        await asyncio.sleep(self._pause_s)
        while not ended.is_set():
            with suppress(PoolUnavailable):
                await self._chance.choice(self._pools).submit(self._host, reports)
                return
            await asyncio.sleep(0.1)


def _computed(task: LeasedTask) -> Report:
    try:
        value, context = compute(task.job, task.variable, task.context)
    except Failure as failure:
        return Report(task, 1, error=str(failure))
    return Report(task, 1, value=value, context=context)

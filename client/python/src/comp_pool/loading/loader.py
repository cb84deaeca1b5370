"""Putting what a file holds into a pool, once."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson

from comp_pool.backoff import Backoff
from comp_pool.client import PoolClient
from comp_pool.errors import PoolFailed, PoolRefused, PoolUnavailable, Refusal
from comp_pool.loading.entries import LoadProblem, NewJob, NewResult, NewVariable, Workload
from comp_pool.schema import REQUEST_BYTES, ErrorCode

MINUTE_S = 61.0
"""After which the pool has forgotten what an account used of its sandbox."""
CREATE_JOB = """mutation CreateJob($input: CreateJobInput!) { createJob(input: $input) {
  job { key } userErrors { field message code retryAfterSeconds }
} }"""
CREATE_VARIABLES = """mutation CreateVariables($input: CreateVariablesInput!) { createVariables(input: $input) {
  userErrors { field message code retryAfterSeconds }
} }"""
CREATE_RESULT = """mutation CreateResult($input: CreateResultInput!) { createResult(input: $input) {
  userErrors { field message code retryAfterSeconds }
} }"""
JOB = """query Job($key: String!) { job(key: $key) {
  executeFunction validateResult variableScheduler compareResults
} }"""
VARIABLES = """query Variables($key: String!, $after: String) { job(key: $key) {
  variables(first: 100, after: $after) { nodes { key value } pageInfo { hasNextPage endCursor } }
} }"""
RESULTS = """query Results($job: String!, $id: String!, $after: String) { variable(job: $job, id: $id) {
  results(first: 100, after: $after) { nodes { value } pageInfo { hasNextPage endCursor } }
} }"""

MOST_AT_ONCE = 500
MOST_BYTES = REQUEST_BYTES // 8
SERVER_SIDE = ("validateResult", "variableScheduler", "compareResults")

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class Loaded:
    """What became of files."""

    jobs: list[str] = field(default_factory=list)
    kept_jobs: list[str] = field(default_factory=list)
    """Keys of those that the pool had, with the same `executeFunction`."""
    variables: int = 0
    kept_variables: int = 0
    results: int = 0
    kept_results: int = 0
    warnings: list[str] = field(default_factory=list)


class Loader:
    """Loads workloads into a pool. What is there already stays as it is."""

    def __init__(
        self,
        client: PoolClient,
        *,
        patience_s: float,
        minute_s: float = MINUTE_S,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """
        Args:
            client: the pool.
            patience_s: how long to wait for a pool that is away, in seconds.
            minute_s: how long to wait, at least, once the account has used what it may of the pool's sandbox in a
                minute, in seconds: what is left before that would be used up by a call that is refused again.
            advance: called with how many variables and results were dealt with.
        """
        self._client = client
        self._patience_s = patience_s
        self._minute_s = minute_s
        self._advance = advance
        self.loaded = Loaded()

    async def load(self, workload: Workload) -> None:
        """Put all that a file holds into the pool, and count it in `loaded`.

        Raises:
            LoadProblem: the pool refuses some of it; the message names the file, the job and the field.
            PoolUnavailable: the pool is away for longer than `patience_s`.
            NotAPool: something else answers at the address.
        """
        for job in workload.jobs:
            is_new = await self._load_job(workload.file, job)
            if job.variables:
                await self._load_variables(workload.file, job, is_new=is_new)
        for result in workload.results:
            await self._load_result(workload.file, result)

    async def _load_job(self, file: str, job: NewJob) -> bool:
        """Whether the job is new."""
        if job.input is None:
            return False
        try:
            await self._asked(partial(self._client.mutate, CREATE_JOB, **job.input))
        except PoolRefused as refused:
            if refused.refusal.code != ErrorCode.ALREADY_EXISTS:
                raise LoadProblem(file, job.where, str(refused)) from refused
            await self._keep(file, job, job.input)
            return False
        self.loaded.jobs.append(job.key)
        return True

    async def _keep(self, file: str, job: NewJob, wanted: dict[str, Any]) -> None:
        stored = (await self._asked(partial(self._client.call, JOB, key=job.key)))["job"]
        if stored["executeFunction"] != wanted["executeFunction"]:
            raise LoadProblem(
                file,
                f"{job.where}: executeFunction",
                f"the pool has a job {job.key!r} with other code, which can't change: choose another name",
            )
        for name in SERVER_SIDE:
            if (stored[name] or "") != wanted.get(name, ""):
                self.loaded.warnings.append(f"{file}: {job.where}: {name}: the pool's own, another one, was kept")
        self.loaded.kept_jobs.append(job.key)

    async def _load_variables(self, file: str, job: NewJob, *, is_new: bool) -> None:
        there = {} if is_new else await self._variables_there(file, job)
        wanted = [each for each in job.variables if not self._is_kept(file, each, there)]
        for batch in _batches(wanted):
            try:
                await self._create(job.key, batch)
            except PoolRefused as refused:
                raise _problem(file, job, batch, refused) from refused
            self.loaded.variables += len(batch)
            self._advance(len(batch))

    async def _variables_there(self, file: str, job: NewJob) -> dict[str, bytes]:
        """The digests of the values that the pool has, by id."""
        there: dict[str, bytes] = {}
        after, more = None, True
        while more:
            try:
                answer = await self._asked(partial(self._client.call, VARIABLES, key=job.key, after=after))
            except PoolRefused as refused:
                raise LoadProblem(file, job.where, refused.refusal.message) from refused
            page = answer["job"]["variables"]
            there |= {node["key"]: _digest(node["value"]) for node in page["nodes"]}
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        return there

    def _is_kept(self, file: str, variable: NewVariable, there: dict[str, bytes]) -> bool:
        if variable.id not in there:
            return False
        if there[variable.id] != _digest(variable.value):
            message = f"the pool has another value under the id {variable.id!r}"
            raise LoadProblem(file, f"{variable.where}.id", message)
        self.loaded.kept_variables += 1
        self._advance(1)
        return True

    async def _create(self, job: str, batch: Sequence[NewVariable]) -> None:
        variables = [{"id": each.id, "value": each.value} for each in batch]
        key = _digest(variables).hex()  # A call whose answer was lost is made again.
        await self._asked(
            partial(self._client.mutate, CREATE_VARIABLES, job=job, variables=variables, idempotencyKey=key)
        )

    async def _load_result(self, file: str, result: NewResult) -> None:
        """As a result of an anonymous host, unless one like it is there."""
        try:
            if await self._asked(partial(self._create_result, result)):
                self.loaded.results += 1
            else:
                self.loaded.kept_results += 1
        except PoolRefused as refused:
            raise LoadProblem(file, result.where, refused.refusal.message) from refused
        self._advance(1)

    async def _create_result(self, result: NewResult) -> bool:
        """Whether it was new. A call whose answer is lost is found out by the next try."""
        after, more = None, True
        while more:
            answer = await self._client.call(RESULTS, job=result.job, id=result.variable, after=after)
            page = answer["variable"]["results"]
            if any(node["value"] == result.value for node in page["nodes"]):
                return False
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        await self._client.mutate(CREATE_RESULT, job=result.job, variable=result.variable, value=result.value)
        return True

    async def _asked(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        backoff = Backoff(longest_s=5.0)
        deadline = time.monotonic() + self._patience_s
        has_waited = False
        while True:
            try:
                return await call()
            except PoolRefused as refused:
                if has_waited or refused.refusal.code != ErrorCode.QUOTA or not refused.retry_after_s:
                    raise
                has_waited = True
                wait_s = max(self._minute_s, refused.retry_after_s)
                deadline += wait_s
                await asyncio.sleep(wait_s)
            except PoolFailed:
                raise
            except PoolUnavailable as problem:
                wait_s = backoff.after_failure(problem.retry_after_s)
                if time.monotonic() + wait_s > deadline:
                    raise
                await asyncio.sleep(wait_s)


def _batches(variables: Sequence[NewVariable]) -> Iterator[list[NewVariable]]:
    batch: list[NewVariable] = []
    size = 0
    for variable in variables:
        length = len(orjson.dumps(variable.value))
        if batch and (len(batch) == MOST_AT_ONCE or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(variable)
        size += length
    if batch:
        yield batch


def _digest(value: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()


def _problem(file: str, job: NewJob, batch: Sequence[NewVariable], refused: PoolRefused) -> LoadProblem:
    first, *others = [_place(job, batch, refusal) for refusal in (refused.refusal, *refused.others)]
    return LoadProblem(file, *first, others=[LoadProblem(file, *other) for other in others])


def _place(job: NewJob, batch: Sequence[NewVariable], refusal: Refusal) -> tuple[str, str]:
    """Where in the file, and what: at a variable, where the pool names one of the batch."""
    head, _, rest = refusal.field.partition("]")
    at = head.removeprefix("variables[")
    if at != head and at.isdigit():
        return f"{batch[int(at)].where}{rest}", refusal.message
    return job.where, str(refusal)

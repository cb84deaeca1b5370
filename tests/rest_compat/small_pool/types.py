"""A pool of jobs, variables and results in memory: what it holds, and the types that show it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import strawberry
from strawberry.types import Info

from resolvers.errors import NotFound
from schema.machinery.directives import Hal, HalAlternate, HalField, HalRole
from schema.machinery.scalars import JsonText
from tests.rest_compat.small_pool.connections import Connection, connection


@dataclass
class Pool:
    """The state behind one facade."""

    jobs: dict[str, Job] = field(default_factory=dict)
    variables: dict[tuple[str, str], JsonText] = field(default_factory=dict)
    results: dict[tuple[str, str], list[JsonText]] = field(default_factory=dict)
    idempotency_keys: list[str | None] = field(default_factory=list)


PoolInfo = Info[Pool, None]


@strawberry.enum
class State(enum.Enum):
    ACTIVE = "active"
    ARCHIVED = "archived"


@strawberry.type(description="What a host computed.")
class Result:
    job_key: str = strawberry.field(directives=[HalField(name="from_job")])
    variable_id: str = strawberry.field(directives=[HalField(name="from_variable")])
    key: str = strawberry.field(directives=[HalField(name="_id", binds="result_number")])
    value: JsonText = strawberry.field(directives=[HalField(name="result")])


@strawberry.type(description="One input of a job.")
class Variable:
    id: strawberry.ID
    job_key: strawberry.Private[str]
    variable_id: str = strawberry.field(directives=[HalField(name="_id")])
    for_jobs: list[str]
    value: JsonText = strawberry.field(directives=[HalField(name="variable", hoist=True)])

    @classmethod
    def stored(cls, pool: Pool, job: str, key: str) -> Variable:
        value = pool.variables[job, key]
        return cls(id=strawberry.ID(f"global {key}"), job_key=job, variable_id=key, for_jobs=[job], value=value)

    @strawberry.field(
        directives=[Hal(path=["results"], role=HalRole.EMBED, rel_wide=["results-root", "cp:results"])],
        description="All its results.",
    )
    def results(
        self,
        info: PoolInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Result]:
        count = len(info.context.results[self.job_key, self.variable_id])
        return connection(range(count), lambda n: self._result(info, n), first, after, last, before)

    @strawberry.field(directives=[Hal(path=["results/{number}"], role=HalRole.SELF)], description="A result.")
    def result(self, info: PoolInfo, number: int) -> Result | None:
        count = len(info.context.results[self.job_key, self.variable_id])
        return self._result(info, number) if 0 <= number < count else None

    def _result(self, info: PoolInfo, number: int) -> Result:
        value = info.context.results[self.job_key, self.variable_id][number]
        return Result(job_key=self.job_key, variable_id=self.variable_id, key=str(number), value=value)

    @strawberry.field(
        directives=[HalAlternate(types=["application/javascript", "text/javascript"], suffix=".js")],
        description="A script that computes it.",
    )
    def worker_script(self) -> str:
        return f"postMessage({self.value})"


@strawberry.type(description="How results are trusted.")
class Policy:
    quorum: int
    notes: list[str]


@strawberry.type(description="Named code.")
class Job:
    key: str = strawberry.field(directives=[HalField(name="_id")])
    name: str = strawberry.field(directives=[HalField(link="name")])
    execute_function: str = strawberry.field(directives=[HalField(hidden=True)])
    body: str = strawberry.field(directives=[HalField(name="execute_function")])
    state: State
    policy: Policy
    metadata: JsonText

    @strawberry.field(directives=[HalField()], description="A resolver's value, served because it is marked.")
    async def popularity(self) -> int:
        return len(self.name)

    @strawberry.field(description="A resolver's value, not served.")
    async def expensive(self) -> int:
        raise AssertionError("nobody asked for it")

    @strawberry.field(
        directives=[Hal(path=["variables/{id}"], role=HalRole.SELF, rel_wide=[], contract=[2, 3])],
        description="A variable.",
    )
    def variable(self, info: PoolInfo, id: str) -> Variable:  # noqa: A002
        if (self.key, id) not in info.context.variables:
            raise NotFound(f"no variable {id}")
        return Variable.stored(info.context, self.key, id)

    @strawberry.field(
        directives=[Hal(path=["variables"], role=HalRole.LINKS, rel=["get_variables"], rel_wide=["variables-root"])],
        description="Its variables.",
    )
    async def variables(
        self, info: PoolInfo, first: int | None = None, after: str | None = None
    ) -> Connection[Variable]:
        keys = [key for job, key in info.context.variables if job == self.key]
        return connection(keys, lambda key: Variable.stored(info.context, self.key, key), first, after, None, None)

    @strawberry.field(
        directives=[Hal(path=["variables"], role=HalRole.STAND_IN, warning="Job has no variables")],
        description="The variable to compute next.",
    )
    async def scheduled_variable(self, info: PoolInfo) -> Variable | None:
        keys = [key for job, key in info.context.variables if job == self.key]
        return Variable.stored(info.context, self.key, keys[0]) if keys else None

"""A pool of jobs, variables and results in memory: every kind of route that the facade can serve, over one schema."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import strawberry
from starlette.requests import Request
from strawberry.relay import PageInfo
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from resolvers.errors import NotFound, RateLimited, Unauthenticated
from rest_compat import Facade
from schema.machinery.directives import Hal, HalAlternate, HalField, HalMethod, HalRole
from schema.machinery.scalars import SCALARS, JsonText

T = TypeVar("T")


@dataclass
class Pool:
    """The state behind one facade."""

    jobs: dict[str, Job] = field(default_factory=dict)
    variables: dict[tuple[str, str], JsonText] = field(default_factory=dict)
    results: dict[tuple[str, str], list[JsonText]] = field(default_factory=dict)
    idempotency_keys: list[str | None] = field(default_factory=list)


PoolInfo = Info[Pool, None]


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page_info: PageInfo


def connection(
    members: Sequence[Any],
    show: Callable[[Any], T],
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[T]:
    start = int(after) + 1 if after and after.isdecimal() else 0
    stop = min(int(before), len(members)) if before and before.isdecimal() else len(members)
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    edges = [Edge(cursor=str(index), node=show(members[index])) for index in range(start, stop)]
    info = PageInfo(
        has_next_page=stop < len(members),
        has_previous_page=start > 0,
        start_cursor=str(start),
        end_cursor=str(stop - 1),
    )
    return Connection(edges=edges, page_info=info)


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


@strawberry.type(description="The pool.")
class Home:
    volunteers: int


@strawberry.type
class Query:
    @strawberry.field(directives=[Hal(path=["/"], role=HalRole.SELF, rel_wide=["api-root"])], description="It.")
    def home(self) -> Home:
        return Home(volunteers=3)

    @strawberry.field(
        directives=[
            Hal(
                path=["/jobs/{key}"],
                role=HalRole.SELF,
                rel=["job"],
                rel_wide=["get-job", "get_job"],
                contract=[1, 4],
            )
        ],
        description="A job.",
    )
    async def job(self, info: PoolInfo, key: str) -> Job | None:
        return info.context.jobs.get(key)

    @strawberry.field(
        directives=[Hal(path=["/jobs"], role=HalRole.LINKS, rel_wide=["jobs-root"])], description="All jobs."
    )
    def jobs(
        self,
        info: PoolInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        state: State | None = None,
    ) -> Connection[Job]:
        found = [job for job in info.context.jobs.values() if state in (None, job.state)]
        return connection(found, lambda job: job, first, after, last, before)

    @strawberry.field(
        directives=[
            Hal(path=["/jobs"], role=HalRole.HOIST),
            Hal(
                path=["/jobs/scheduler", "/jobs/scheduled", "/jobs/scheduled/{scheduler}"],
                root_property="job_scheduler_url",
            ),
        ],
        description="The job that a scheduler picks.",
    )
    def scheduled_job(self, info: PoolInfo, scheduler: str = "oldest", owners: list[str] | None = None) -> Job | None:
        found = [job for job in info.context.jobs.values() if owners is None or job.name in owners]
        return (found[0] if scheduler == "oldest" else found[-1]) if found else None

    @strawberry.field(directives=[Hal(path=["/broken"])], description="Always fails.")
    def broken(self, how: str = "bug") -> Home:
        raise {
            "bug": RuntimeError("a secret of ours"),
            "limit": RateLimited("slower, please", retry_after_s=7),
            "token": Unauthenticated("no token"),
        }[how]


@strawberry.type
class UserError:
    field: str | None
    message: str
    code: str


@strawberry.input
class PolicyInput:
    quorum: int = 1
    notes: list[str] = strawberry.field(default_factory=list)


@strawberry.input(description="A job to make.")
class CreateJobInput:
    name: str = strawberry.field(description="Its name.")
    execute_function: str
    policy: PolicyInput | None = None
    state: State = State.ACTIVE
    metadata: JsonText = JsonText("{}")
    secret: str = strawberry.field(default="", directives=[HalField(hidden=True)])
    idempotency_key: str | None = None


@strawberry.type
class CreateJobPayload:
    job: Job | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class VariableInput:
    value: JsonText
    id: str | None = None


@strawberry.input
class CreateVariablesInput:
    job: str
    variables: list[VariableInput]


@strawberry.type
class CreateVariablesPayload:
    variables: list[Variable]
    user_errors: list[UserError]


@strawberry.input
class CreateResultInput:
    job: str
    variable: str
    value: JsonText


@strawberry.type
class CreateResultPayload:
    result: Result
    user_errors: list[UserError]


@strawberry.input
class JobInput:
    job: str


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=[Hal(path=["/jobs"], rel=["create-job"])], description="Make a job.")
    async def create_job(self, info: PoolInfo, input: CreateJobInput) -> CreateJobPayload:  # noqa: A002
        info.context.idempotency_keys.append(input.idempotency_key)
        if input.execute_function == "(":
            wrong = UserError(field="executeFunction", message="does not parse", code="UNPARSABLE_JAVASCRIPT")
            return CreateJobPayload(user_errors=[wrong])
        policy = input.policy or PolicyInput()
        job = Job(
            key=input.name.lower(),
            name=input.name,
            execute_function=input.execute_function,
            body=f"return ({input.execute_function})(variable, context)",
            state=input.state,
            policy=Policy(quorum=policy.quorum, notes=policy.notes),
            metadata=input.metadata,
        )
        info.context.jobs[job.key] = job
        return CreateJobPayload(job=job)

    @strawberry.mutation(
        directives=[
            Hal(
                path=["/jobs/{job}/variables"],
                body="variables.value",
                fields=["for_jobs", "variable", "_id"],
                contract=[6],
            )
        ],
        description="Add a variable.",
    )
    async def create_variables(self, info: PoolInfo, input: CreateVariablesInput) -> CreateVariablesPayload:  # noqa: A002
        if input.job not in info.context.jobs:
            raise NotFound(f"no job {input.job}")
        made = []
        for given in input.variables:
            key = given.id or f"v{len(info.context.variables)}"
            info.context.variables[input.job, key] = given.value
            info.context.results[input.job, key] = []
            made.append(Variable.stored(info.context, input.job, key))
        return CreateVariablesPayload(variables=made, user_errors=[])

    @strawberry.mutation(
        directives=[
            Hal(
                path=["/jobs/{job}/variables/{variable}/results", "/jobs/{job}/variables/{variable}/result"],
                body="value",
                rel=["post_result"],
            )
        ],
        description="Report a result.",
    )
    async def create_result(self, info: PoolInfo, input: CreateResultInput) -> CreateResultPayload:  # noqa: A002
        found = info.context.results.get((input.job, input.variable))
        if found is None:
            raise NotFound("no such variable")
        found.append(input.value)
        result = Result(job_key=input.job, variable_id=input.variable, key=str(len(found) - 1), value=input.value)
        return CreateResultPayload(result=result, user_errors=[])

    @strawberry.mutation(directives=[Hal(path=["/jobs/{job}"], method=HalMethod.DELETE)], description="Archive a job.")
    async def archive_job(self, info: PoolInfo, input: JobInput) -> CreateJobPayload:  # noqa: A002
        if input.job not in info.context.jobs:
            raise NotFound(f"no job {input.job}")
        info.context.jobs[input.job].state = State.ARCHIVED
        return CreateJobPayload(job=info.context.jobs[input.job])


schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))


def facade_of(pool: Pool, **settings: Any) -> Facade:
    async def make_context(request: Request) -> Pool:
        return pool

    return Facade(schema, make_context, **settings)

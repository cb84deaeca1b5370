"""What can be changed in the small pool: every kind of route that the facade can serve to write."""

from __future__ import annotations

import strawberry

from resolvers.errors import NotFound
from schema.machinery.directives import Hal, HalField, HalMethod
from schema.machinery.scalars import JsonText
from tests.rest_compat.small_pool.types import Job, Policy, PoolInfo, Result, State, Variable


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

"""Submitting jobs, and what their owners may change of them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from resolvers.access.rules import Allowed
from resolvers.deleting import jobs as deleting
from resolvers.json_text import JsonText
from resolvers.owners import jobs
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.contract import WRITES
from schema.machinery.directives import Hal, HalMethod
from schema.machinery.nodes import global_id
from schema.machinery.payloads import Payload, UserErrors
from schema.types.jobs import Job
from schema.types.policies import PolicyInput


@strawberry.input(description="A job to submit.")
class CreateJobInput:
    name: str = strawberry.field(description="Its name; its key is the slug of it. 1 to 200 characters.")
    execute_function: str = strawberry.field(
        description="`execute_function(variable, context)`: a function expression, an arrow function or a body."
    )
    validate_result: str | None = strawberry.field(
        default=None,
        description=(
            "`validate_result(variable, result, context)`. Falsy or a throw: invalid; `true`: valid; an object with a "
            "boolean `valid` says so itself, with optional `result` and `reason`; any other value replaces the result."
        ),
    )
    variable_scheduler: str | None = strawberry.field(
        default=None,
        description="`variable_scheduler(context)` returns the id of one of `context.variables`.",
    )
    compare_results: str | None = strawberry.field(
        default=None, description="`compareResults(a, b)`: whether two results agree."
    )
    metadata: JsonText | None = strawberry.field(
        default=None,
        description="An object: `description[locale]`, `shortDescription[locale]`, `owner`, anything.",
    )
    policy: PolicyInput | None = strawberry.field(default=None, description="How its results are trusted.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Repeating the same job with the same key answers the stored one."
    )


@strawberry.type(description="The answer of `createJob`.")
class CreateJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The stored job.")


@strawberry.input(description="Changes to a job. What is left out stays.")
class UpdateJobInput:
    job: str = strawberry.field(description="The job's key.")
    metadata: JsonText | None = strawberry.field(default=None, description="Replaces the metadata.")
    policy: PolicyInput | None = strawberry.field(default=None, description="Replaces the values that are given.")
    validate_result: str | None = strawberry.field(default=None, description="Replaces it; empty: accept all results.")
    variable_scheduler: str | None = strawberry.field(default=None, description="Replaces it; empty: random.")
    compare_results: str | None = strawberry.field(default=None, description="Replaces it; empty: equality.")


@strawberry.type(description="The answer of `updateJob`.")
class UpdateJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job as it is now.")


@strawberry.input(description="A job to archive.")
class ArchiveJobInput:
    job: str = strawberry.field(description="The job's key.")


@strawberry.type(description="The answer of `archiveJob`.")
class ArchiveJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job as it is now.")


@strawberry.input(description="A job to delete.")
class DeleteJobInput:
    job: str = strawberry.field(description="The job's key.")


@strawberry.type(description="The answer of `deleteJob`.")
class DeleteJobPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="Global id that the job had: drop it from caches."
    )


def _policy(given: PolicyInput | None) -> dict[str, Any]:
    return {} if given is None else given.changes()


@strawberry.type
class JobMutation:
    @strawberry.mutation(
        directives=[Hal(path=["/jobs"], method=HalMethod.POST, rel=["create-job", "cp:create-job"], contract=WRITES)],
        extensions=[Only(Allowed.SUBMITTER), UserErrors(CreateJobPayload)],
        description="Submit a job. Its JavaScript is compiled first.",
    )
    async def create_job(
        self,
        info: PoolInfo,
        input: Annotated[CreateJobInput, strawberry.argument(description="The job.")],  # noqa: A002
    ) -> CreateJobPayload:
        new = jobs.NewJob(
            name=input.name,
            execute_function=input.execute_function,
            validate_result=input.validate_result or "",
            variable_scheduler=input.variable_scheduler or "",
            compare_results=input.compare_results or "",
            metadata=input.metadata,
            policy=_policy(input.policy),
            idempotency_key=input.idempotency_key or "",
        )
        return CreateJobPayload(
            job=Job.of(await jobs.create(info.context.runtime, new, await info.context.principal()))
        )

    @strawberry.mutation(
        extensions=[Only(Allowed.JOB_OWNER), UserErrors(UpdateJobPayload)],
        description=(
            "Change a job's metadata, policy or server-side functions. Its `executeFunction` can't change: results of "
            "two programs must not vote on one variable."
        ),
    )
    async def update_job(
        self,
        info: PoolInfo,
        input: Annotated[UpdateJobInput, strawberry.argument(description="What to change.")],  # noqa: A002
    ) -> UpdateJobPayload:
        job = await jobs.update(
            info.context.runtime,
            input.job,
            principal=await info.context.principal(),
            metadata=input.metadata,
            policy=None if input.policy is None else input.policy.changes(),
            validate_result=input.validate_result,
            variable_scheduler=input.variable_scheduler,
            compare_results=input.compare_results,
        )
        return UpdateJobPayload(job=Job.of(job))

    @strawberry.mutation(
        extensions=[Only(Allowed.JOB_OWNER), UserErrors(ArchiveJobPayload)],
        description="Stop handing out a job's work. What was computed stays; tasks under way may be reported. "
        "Flows that wait for it fail, or go on without it, as their `onFailure` says.",
    )
    async def archive_job(
        self,
        info: PoolInfo,
        input: Annotated[ArchiveJobInput, strawberry.argument(description="The job.")],  # noqa: A002
    ) -> ArchiveJobPayload:
        return ArchiveJobPayload(job=Job.of(await jobs.archive(info.context.runtime, input.job)))

    @strawberry.mutation(
        directives=[Hal(path=["/jobs/{job}"], method=HalMethod.DELETE, status=204)],
        extensions=[Only(Allowed.JOB_OWNER), UserErrors(DeleteJobPayload)],
        description="Delete a job with its variables, their tasks and results. It is gone at once: nobody finds it, "
        "and leases of its tasks are lost. Flows that wait for it fail, or go on without it, as their `onFailure` "
        "says; what they have of it stays with them. Its key is free again in about a minute; until then `createJob` "
        "returns IN_PROGRESS.",
    )
    async def delete_job(
        self,
        info: PoolInfo,
        input: Annotated[DeleteJobInput, strawberry.argument(description="The job.")],  # noqa: A002
    ) -> DeleteJobPayload:
        job = await deleting.delete(info.context.runtime, input.job)
        return DeleteJobPayload(deleted_id=global_id("Job", job.key))

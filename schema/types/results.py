"""Results: what hosts reported."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.documents import Result as ResultDocument
from resolvers.json_text import JsonText
from resolvers.owners import jobs
from resolvers.volunteers import hosts, unleased_results
from resolvers.volunteers.blocks import Blocks
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.contract import WRITES
from schema.machinery.directives import Hal, HalField, HalMethod
from schema.machinery.nodes import Node, global_id
from schema.machinery.payloads import Payload, UserErrors
from schema.machinery.scalars import given
from schema.machinery.times import moment
from schema.types.enums import Verdict
from schema.types.hosts import Host

if TYPE_CHECKING:
    from schema.types.jobs import Job


@strawberry.type(description="What a host reported for a task.")
class Result(Node):
    document: strawberry.Private[ResultDocument]
    key: str = strawberry.field(
        directives=[HalField(name="_id", binds="result_id")], description="Its id within the variable."
    )
    job_key: str = strawberry.field(directives=[HalField(name="from_job")], description="Key of its job.")
    variable_key: str = strawberry.field(
        directives=[HalField(name="from_variable", binds="variable_id")],
        description="Id of its variable within the job; of a flow's run, that of the run.",
    )
    value: JsonText | None = strawberry.field(
        directives=[HalField(name="result")],
        description="What was computed, after the validator's post-processing; null when the computation failed.",
    )
    context: JsonText | None = strawberry.field(description="The returned context without its `result`.")
    verdict: Verdict = strawberry.field(description="What the pool thinks of it.")
    reason: str | None = strawberry.field(description="Why it has this verdict, where there is more to say.")
    error: str | None = strawberry.field(description="What the job's function threw on the host.")
    elapsed_milliseconds: float = strawberry.field(description="How long the host computed, in ms.")
    unsolicited: bool = strawberry.field(description="Whether it came without a lease, as legacy clients send it.")
    created_at: datetime = strawberry.field(description="When it was reported.")

    @classmethod
    def of(cls, result: ResultDocument, variable_key: str = "") -> Result:
        """`variable_key` is what the client knows the variable by, if that is another than its own."""
        unit = variable_key or result.unit.rpartition(":")[2]
        return cls(
            id=global_id("Result", result.id),
            document=result,
            key=result.number,
            job_key=result.job,
            variable_key=unit,
            value=JsonText(result.value) if result.value else None,
            context=JsonText(result.context) if result.context else None,
            verdict=Verdict(result.verdict),
            reason=result.reason or None,
            error=result.error or None,
            elapsed_milliseconds=float(result.elapsed_ms),
            unsolicited=result.unsolicited,
            created_at=moment(result.created_at),
        )

    @strawberry.field(description="The host that reported it; null: that was deleted.")
    async def host(self, info: PoolInfo) -> Host | None:
        found = await hosts.find(info.context.runtime, self.document.host)
        return None if found is None else Host.of(found)

    @strawberry.field(description="The job it is a result of; null: that was deleted, and a flow has the result.")
    async def job(self, info: PoolInfo) -> Annotated[Job, strawberry.lazy("schema.types.jobs")] | None:
        from schema.types.jobs import Job  # noqa: PLC0415 - the two types name each other

        found = await jobs.find(info.context.runtime, self.job_key)
        return None if found is None else Job.of(found)


@strawberry.input(description="A result that was computed without a lease.")
class CreateResultInput:
    job: str = strawberry.field(description="The job's key.")
    variable: str = strawberry.field(description="The variable's id within the job.")
    value: JsonText | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the job's function set as `context.result`: any JSON value, null too; it can't be left out.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeating the same result with the same key adds nothing and answers the same.",
    )


@strawberry.type(description="The answer of `createResult`.")
class CreateResultPayload(Payload):
    result: Result | None = strawberry.field(default=None, description="The stored result with its verdict.")


@strawberry.type
class ResultMutation:
    @strawberry.mutation(
        directives=[
            Hal(
                path=[
                    "/jobs/{job}/variables/{variable}/results",
                    "/jobs/{job}/variables/{variable}/result",
                ],
                method=HalMethod.POST,
                body="value",
                returns="result",
                rel=["post_result", "cp:create-result"],
                fields=["from_job", "from_variable", "result", "_id"],
                contract=[*WRITES, 12],
            )
        ],
        extensions=[Only(Allowed.ANYONE), UserErrors(CreateResultPayload)],
        description=(
            "Report a result for a variable that was not leased, as clients of the original pool do. It is validated "
            "and votes like any other, as one of an anonymous host. Volunteers use `submitResults`."
        ),
    )
    async def create_result(
        self,
        info: PoolInfo,
        input: Annotated[CreateResultInput, strawberry.argument(description="The result.")],  # noqa: A002
    ) -> CreateResultPayload:
        runtime = info.context.runtime
        group = info.context.group
        runtime.part(Blocks).check(group=group)
        host = await hosts.anonymous(runtime, info.context.address, group=group)
        runtime.part(Blocks).check(host=host)
        value = given(input.value, field="value")
        result = await unleased_results.submit(
            runtime,
            input.job,
            input.variable,
            host,
            value=value,
            idempotency_key=input.idempotency_key or "",
            principal=await info.context.principal(),
        )
        return CreateResultPayload(result=Result.of(result, input.variable))

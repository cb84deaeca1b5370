"""Variables: the inputs of a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.deleting import variables as deleting
from resolvers.documents import Variable as VariableDocument
from resolvers.json_text import JsonText
from resolvers.owners import jobs, tickets, variables, worker_script
from resolvers.units import results, tasks
from schema.machinery.access import Only
from schema.machinery.connections import After, Before, Connection, First, Last, Turn, no_members, turned
from schema.machinery.context import PoolInfo
from schema.machinery.contract import READS, WRITES
from schema.machinery.directives import Hal, HalAlternate, HalField, HalMethod, HalRole
from schema.machinery.nodes import Node, global_id
from schema.machinery.payloads import Payload, UserError, UserErrors
from schema.machinery.scalars import given
from schema.machinery.times import moment, moment_or_none
from schema.machinery.turns import each_in_turn
from schema.machinery.visibility import Private
from schema.types.enums import VariableState
from schema.types.results import Result
from schema.types.tasks import Task

if TYPE_CHECKING:
    from schema.types.jobs import Job

HIDDEN = HalField(hidden=True)


@strawberry.type(description="One input of a job.")
class Variable(Node):
    document: strawberry.Private[VariableDocument]
    job_key: strawberry.Private[str]
    key: str = strawberry.field(
        directives=[HalField(name="_id", binds="variable_id")],
        description="Its id within the job. Of a PRIVATE job, for those who may not read that, it is the id with a "
        "signature, by which this variable can be read, and no other.",
    )
    for_jobs: list[str] = strawberry.field(description="Keys of the jobs it is an input of.")
    value: JsonText | None = strawberry.field(
        directives=[HalField(name="variable", hoist=True)],
        description="The input itself, as it was posted; any JSON value, null too.",
    )
    state: VariableState = strawberry.field(directives=[HIDDEN], description="Where it stands.")
    created_at: datetime = strawberry.field(directives=[HIDDEN], description="When it was posted.")
    finished_at: datetime | None = strawberry.field(
        directives=[HIDDEN], description="When it was decided or given up; null while it is open."
    )

    @classmethod
    def of(cls, variable: VariableDocument, key: str = "") -> Variable:
        """`key` is what the client knows it by, if that is another than its own."""
        return cls(
            id=global_id("Variable", f"{variable.job}/{key or variable.key}"),
            document=variable,
            job_key=variable.job,
            key=key or variable.key,
            for_jobs=[variable.job],
            value=JsonText(variable.value),
            state=VariableState(variable.state),
            created_at=moment(variable.created_at),
            finished_at=moment_or_none(variable.finished_at),
        )

    @classmethod
    async def handed_out(cls, found: Sequence[VariableDocument], info: PoolInfo) -> list[Variable]:
        """The variables under keys by which they can be read again."""
        key_for = await tickets.keys_for(info.context.runtime, await info.context.principal(), found)
        return await each_in_turn(lambda each: cls.of(each, key_for(each)), found)

    @strawberry.field(extensions=[Private()], description="Why it failed or was cancelled.")
    def reason(self) -> str | None:
        return self.document.reason or None

    @strawberry.field(description="The job it is an input of.")
    async def job(self, info: PoolInfo) -> Annotated[Job, strawberry.lazy("schema.types.jobs")]:
        from schema.types.jobs import Job  # noqa: PLC0415 - the two types name each other

        return Job.of(await jobs.get(info.context.runtime, self.job_key))

    @strawberry.field(extensions=[Private()], description="The result that its quorum agreed on; null until then.")
    async def canonical_result(self, info: PoolInfo) -> Result | None:
        found = await results.canonical(info.context.runtime, self.document)
        return None if found is None else Result.of(found)

    @strawberry.field(
        directives=[
            Hal(
                path=["results"],
                role=HalRole.EMBED,
                members="results",
                rel_wide=["results-root", "cp:results"],
                contract=[*READS, 10, 11],
            )
        ],
        extensions=[Private(no_members)],
        description="All that was reported for it, the first one first.",
    )
    async def results(
        self, info: PoolInfo, first: First = 100, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Result]:
        turn = Turn.asked(first, after, last, before)
        found = await results.page(
            info.context.runtime, self.document, first=turn.size + 1, after=turn.cursor, backwards=turn.backwards
        )
        return turned(found, turn, node=lambda each: Result.of(each, self.key), cursor=lambda each: each.seq)

    @strawberry.field(
        directives=[Hal(path=["results/{id}"], role=HalRole.SELF, contract=[*READS, 10])],
        description="One of its results. One of a PRIVATE job is not there, except for those who may read the job.",
    )
    async def result(
        self,
        info: PoolInfo,
        id: Annotated[str, strawberry.argument(description="The result's id within the variable.")],  # noqa: A002
    ) -> Result:
        principal = await info.context.principal()
        return Result.of(await results.get(info.context.runtime, self.document, id, principal), self.key)

    @strawberry.field(
        extensions=[Private(list)],
        description="Its tasks, one for each replica that was handed out or waits to be.",
    )
    async def tasks(self, info: PoolInfo) -> list[Task]:
        return [Task.of(each) for each in await tasks.of_unit(info.context.runtime, self.document)]

    @strawberry.field(
        directives=[HalAlternate(types=["application/javascript", "text/javascript"], suffix=".js")],
        description="A script that computes it in a Web Worker and posts `{result, context}` or `{error}`.",
    )
    async def worker_script(self, info: PoolInfo) -> str:
        job = await jobs.get(info.context.runtime, self.job_key)
        return worker_script.worker_script(job, self.document)


@strawberry.input(description="A variable to add.")
class VariableInput:
    value: JsonText | None = strawberry.field(
        default=strawberry.UNSET, description="Any JSON value, null too; it can't be left out."
    )
    id: str | None = strawberry.field(
        default=None,
        description="Its id within the job: letters, digits, `.`, `_`, `~`, `-`; if it is missing: the pool makes one.",
    )


@strawberry.input(description="Variables to add to a job.")
class CreateVariablesInput:
    job: str = strawberry.field(description="The job's key.")
    variables: list[VariableInput] = strawberry.field(description="1 to 10,000 of them.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeating the same variables with the same key adds nothing and answers the same.",
    )


@strawberry.type(description="The answer of `createVariables`.")
class CreateVariablesPayload(Payload):
    variables: list[Variable] = strawberry.field(
        default_factory=list,
        description="The stored variables, in the order given. Whoever may not read the job knows them by another "
        "`key` than the `id` that was given.",
    )


@strawberry.input(description="Variables to delete.")
class DeleteVariablesInput:
    job: str = strawberry.field(description="The job's key.")
    variables: list[str] = strawberry.field(description="Their ids within the job, 1 to 1,000 of them.")


@strawberry.type(description="The answer of `deleteVariables`.")
class DeleteVariablesPayload(Payload):
    deleted_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Global ids of those that were there, in the order given; `userErrors` names the others.",
    )


@strawberry.type
class VariableMutation:
    @strawberry.mutation(
        directives=[
            Hal(
                path=["/jobs/{job}/variables"],
                method=HalMethod.POST,
                body="variables.value",
                returns="variables",
                rel=["post_variable", "cp:create-variable"],
                fields=["for_jobs", "variable", "_id"],
                contract=WRITES,
            )
        ],
        extensions=[Only(Allowed.ANYONE, is_audited=True), UserErrors(CreateVariablesPayload)],
        description="Add variables to a job, all or none of them. Where its policy accepts them from its OWNER only, "
        "that takes the owner's token, with the scope SUBMIT.",
    )
    async def create_variables(
        self,
        info: PoolInfo,
        input: Annotated[CreateVariablesInput, strawberry.argument(description="The variables.")],  # noqa: A002
    ) -> CreateVariablesPayload:
        made = await variables.create_many(
            info.context.runtime,
            input.job,
            await each_in_turn(_new, enumerate(input.variables)),
            principal=await info.context.principal(),
            idempotency_key=input.idempotency_key or "",
        )
        return CreateVariablesPayload(variables=await Variable.handed_out(made, info))

    @strawberry.mutation(
        directives=[
            Hal(
                path=["/jobs/{job}/variables/{variables}"],
                method=HalMethod.DELETE,
                status=204,
            )
        ],
        extensions=[Only(Allowed.JOB_OWNER), UserErrors(DeleteVariablesPayload)],
        description="Delete variables of a job with their tasks and results. They are gone at once: nobody finds them, "
        "and leases of their tasks are lost. Jobs of flows that have begun have a copy of their variable, and go on.",
    )
    async def delete_variables(
        self,
        info: PoolInfo,
        input: Annotated[DeleteVariablesInput, strawberry.argument(description="The variables.")],  # noqa: A002
    ) -> DeleteVariablesPayload:
        deleted, problems = await deleting.delete(info.context.runtime, input.job, input.variables)
        return DeleteVariablesPayload(
            deleted_ids=[global_id("Variable", f"{input.job}/{key}") for key in deleted],
            user_errors=[UserError.of(problem) for problem in problems],
        )


def _new(placed: tuple[int, VariableInput]) -> variables.NewVariable:
    at, each = placed
    return variables.NewVariable(given(each.value, field=f"variables[{at}].value"), each.id or "")

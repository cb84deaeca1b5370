"""Tasks: replicas of variables, leased to hosts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.access.principals import Scope
from resolvers.access.rules import Allowed
from resolvers.documents import Task as TaskDocument
from resolvers.json_text import JsonText
from resolvers.volunteers import claims, hosts, leases, reports
from resolvers.volunteers.picking import ClaimedTask
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.nodes import Node, global_id, key_of
from schema.machinery.payloads import Payload, UserError, UserErrors
from schema.machinery.times import moment, moment_or_none
from schema.machinery.turns import each_in_turn
from schema.types.enums import TaskState, WhyNoWork
from schema.types.results import Result

if TYPE_CHECKING:
    from schema.types.jobs import Job


@strawberry.type(description="One replica of a variable, to be computed by one host.")
class Task(Node):
    number: str = strawberry.field(description="Its number within the variable; `u0`, `u1`...: unsolicited results.")
    job_key: str = strawberry.field(description="Key of its job.")
    state: TaskState = strawberry.field(description="Where it stands.")
    host: str | None = strawberry.field(description="Key of the host that has or had it; null: none, or a deleted one.")
    attempt: int = strawberry.field(description="How often it was leased.")
    created_at: datetime = strawberry.field(description="When it was made.")
    leased_at: datetime | None = strawberry.field(description="When its lease began.")
    deadline: datetime | None = strawberry.field(description="When its lease runs out.")

    @classmethod
    def of(cls, task: TaskDocument) -> Task:
        return cls(
            id=global_id("Task", task.id),
            number=task.number,
            job_key=task.job,
            state=TaskState(task.status),
            host=task.host or None,
            attempt=task.attempt,
            created_at=moment(task.created_at),
            leased_at=moment_or_none(task.leased_at),
            deadline=moment_or_none(task.until),
        )


@strawberry.type(description="The right of one host to compute a task until a deadline.")
class Lease:
    token: str = strawberry.field(description="To be sent with whatever is done to the task.")
    host: str = strawberry.field(description="Key of the host that holds it.")
    attempt: int = strawberry.field(description="How often the task was leased, this time included.")
    deadline: datetime = strawberry.field(description="When it runs out unless it is extended.")

    @classmethod
    def of(cls, task: TaskDocument) -> Lease:
        return cls(token=task.lease, host=task.host, attempt=task.attempt, deadline=moment(task.until))


@strawberry.type(description="A task with all that is needed to compute it.")
class LeasedTask:
    claimed: strawberry.Private[ClaimedTask]
    id: strawberry.ID = strawberry.field(description="The task's global id.")
    variable: JsonText | None = strawberry.field(
        description="First argument of the job's function; any JSON value, null too."
    )
    context: JsonText = strawberry.field(description="Second argument of the job's function.")
    lease: Lease = strawberry.field(description="The lease it is held by.")

    @classmethod
    def of(cls, claimed: ClaimedTask) -> LeasedTask:
        return cls(
            claimed=claimed,
            id=global_id("Task", claimed.task.id),
            variable=JsonText(claimed.unit.value),
            context=JsonText(claimed.unit.context),
            lease=Lease.of(claimed.task),
        )

    @strawberry.field(description="The job whose function is to be run.")
    def job(self) -> Annotated[Job, strawberry.lazy("schema.types.jobs")]:
        from schema.types.jobs import Job  # noqa: PLC0415 - the two types name each other

        return Job.of(self.claimed.job)


@strawberry.input(description="What a volunteer wants to compute.")
class ClaimTasksInput:
    first: int = strawberry.field(default=1, description="How many tasks at most, 1 to 100.")
    host: str | None = strawberry.field(
        default=None, description="The host's token from an earlier claim; if it is missing: this is a new host."
    )
    host_name: str | None = strawberry.field(default=None, description="What a new host calls itself.")
    scheduler: str | None = strawberry.field(
        default=None,
        description="`random`, `shortest`, `owners`, `oldest` or an installed one; missing: the pool's default.",
    )
    jobs: list[str] | None = strawberry.field(default=None, description="Only tasks of the jobs with these keys.")
    owners: list[str] | None = strawberry.field(default=None, description="Only tasks of these owners' jobs.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A random one for each claim, by which it can be `repeated`.",
    )
    repeated: bool = strawberry.field(
        default=False,
        description="The host made this very claim before, with the same `idempotencyKey`, and its answer was lost: it "
        "is answered with the tasks that it leased then, as long as the host holds any of them. With another `first`, "
        "`scheduler`, `jobs` or `owners` it is a new claim.",
    )


@strawberry.type(description="The answer of `claimTasks`.")
class ClaimTasksPayload(Payload):
    tasks: list[LeasedTask] = strawberry.field(default_factory=list, description="The leased tasks.")
    host: str | None = strawberry.field(
        default=None,
        description="The host's token: keep it secret and send it with every later call; null: none was "
        "made, for a network that is blocked.",
    )
    why_no_work: WhyNoWork | None = strawberry.field(default=None, description="Why there are no tasks.")
    retry_after_seconds: int | None = strawberry.field(
        default=None, description="When to ask again if there are none; add some jitter."
    )


@strawberry.input(description="A task that is held, and the lease that it is held by.")
class HeldTaskInput:
    task: strawberry.ID = strawberry.field(description="The task's id.")
    lease: str = strawberry.field(description="The lease's token.")

    def held(self) -> leases.HeldTask:
        return leases.HeldTask(key_of(self.task, "Task"), self.lease)


@strawberry.input(description="Leases to extend: the heartbeat of a long computation.")
class ExtendLeaseInput:
    tasks: list[HeldTaskInput] = strawberry.field(description="The held tasks.")


@strawberry.type(description="The answer of `extendLease`.")
class ExtendLeasePayload(Payload):
    leases: list[Lease | None] = strawberry.field(
        default_factory=list,
        description="The leases with their new deadlines, in the order given; null where `userErrors` says why.",
    )


@strawberry.input(description="Tasks to give back.")
class ReleaseTasksInput:
    tasks: list[HeldTaskInput] = strawberry.field(description="The held tasks.")


@strawberry.type(description="The answer of `releaseTasks`.")
class ReleaseTasksPayload(Payload):
    released: int = strawberry.field(default=0, description="How many of them were still held.")


@strawberry.input(description="What was computed for a task: a value, or the error that the job's function threw.")
class ResultInput:
    task: strawberry.ID = strawberry.field(description="The task's id.")
    lease: str = strawberry.field(description="The lease's token.")
    value: JsonText | None = strawberry.field(
        default=strawberry.UNSET,
        description="`result` of the returned context: any JSON value, null too. Left out where there is an `error`.",
    )
    context: JsonText | None = strawberry.field(default=None, description="The returned context without its `result`.")
    error: str | None = strawberry.field(
        default=None,
        description="What the function threw, an empty text too. Left out, or null, where there is a `value`.",
    )
    elapsed_milliseconds: float = strawberry.field(default=0, description="How long it took, in ms, up to 30 days.")


@strawberry.input(description="Results of leased tasks.")
class SubmitResultsInput:
    host: str = strawberry.field(description="The host's token.")
    results: list[ResultInput] = strawberry.field(description="1 to 100 of them.")


@strawberry.type(description="The answer of `submitResults`.")
class SubmitResultsPayload(Payload):
    results: list[Result | None] = strawberry.field(
        default_factory=list,
        description="The stored results with their verdicts, in the order given; null where `userErrors` says why.",
    )


@strawberry.type
class TaskMutation:
    @strawberry.mutation(
        extensions=[Only(Allowed.ANYONE), UserErrors(ClaimTasksPayload)],
        description="Lease tasks to compute. A host never gets two replicas of one variable. With an account's token "
        "of the scope COMPUTE the host is a machine of that account from then on.",
    )
    async def claim_tasks(
        self,
        info: PoolInfo,
        input: Annotated[ClaimTasksInput, strawberry.argument(description="What is wanted.")],  # noqa: A002
    ) -> ClaimTasksPayload:
        request = claims.ClaimRequest(
            host="",
            first=input.first,
            scheduler=input.scheduler or "",
            jobs=frozenset(input.jobs or ()),
            owners=frozenset(input.owners or ()),
            idempotency_key=input.idempotency_key or "",
            repeated=input.repeated,
        )
        context = info.context
        principal = await context.principal()
        host, claim = await claims.claim_as(
            context.runtime,
            input.host,
            input.host_name or "",
            request,
            group=context.group,
            account=principal.account if principal.has(Scope.COMPUTE) else "",
        )
        return ClaimTasksPayload(
            tasks=[LeasedTask.of(each) for each in claim.tasks],
            host=host.token if host else None,
            why_no_work=WhyNoWork(claim.why_no_work.value) if claim.why_no_work else None,
            retry_after_seconds=claim.retry_after_s or None,
        )

    @strawberry.mutation(
        extensions=[Only(Allowed.ANYONE), UserErrors(ExtendLeasePayload)],
        description="Heartbeat: have leases run for their job's delay bound from now on.",
    )
    async def extend_lease(
        self,
        info: PoolInfo,
        input: Annotated[ExtendLeaseInput, strawberry.argument(description="The leases.")],  # noqa: A002
    ) -> ExtendLeasePayload:
        extensions = await leases.extend(info.context.runtime, await _held(input.tasks))
        return ExtendLeasePayload(
            leases=[None if each.task is None else Lease.of(each.task) for each in extensions],
            user_errors=[UserError.of(each.problem) for each in extensions if each.problem],
        )

    @strawberry.mutation(
        extensions=[Only(Allowed.ANYONE), UserErrors(ReleaseTasksPayload)],
        description="Give tasks back so that others may compute them. Costs no credit.",
    )
    async def release_tasks(
        self,
        info: PoolInfo,
        input: Annotated[ReleaseTasksInput, strawberry.argument(description="The tasks.")],  # noqa: A002
    ) -> ReleaseTasksPayload:
        release = await leases.release(info.context.runtime, await _held(input.tasks))
        return ReleaseTasksPayload(
            released=release.count, user_errors=[UserError.of(problem) for problem in release.problems]
        )

    @strawberry.mutation(
        extensions=[Only(Allowed.ANYONE), UserErrors(SubmitResultsPayload)],
        description="Report what was computed. Repeating a report changes nothing.",
    )
    async def submit_results(
        self,
        info: PoolInfo,
        input: Annotated[SubmitResultsInput, strawberry.argument(description="The results.")],  # noqa: A002
    ) -> SubmitResultsPayload:
        runtime = info.context.runtime
        host = hosts.known(runtime, input.host)
        receipts = await reports.submit(
            runtime, host.key, await each_in_turn(_report, input.results), group=info.context.group
        )
        return SubmitResultsPayload(
            results=[None if each.result is None else Result.of(each.result) for each in receipts],
            user_errors=[UserError.of(each.problem) for each in receipts if each.problem],
        )


async def _held(tasks: list[HeldTaskInput]) -> list[leases.HeldTask]:
    return await each_in_turn(lambda each: each.held(), tasks)


def _report(given: ResultInput) -> reports.Report:
    value = JsonText("null") if given.value is None else given.value
    return reports.Report(
        task=key_of(given.task, "Task"),
        token=given.lease,
        value=reports.MISSING if value is strawberry.UNSET else value,
        context=given.context,
        error=given.error,
        elapsed_ms=round(given.elapsed_milliseconds),
    )

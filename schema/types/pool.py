"""The pool as a whole, and what can be looked up by global id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.access.principals import Principal
from resolvers.access.rules import Allowed
from resolvers.errors import BadInput, NotFound
from resolvers.flows import reading
from resolvers.owners import jobs, variables
from resolvers.pool import activity, counts
from resolvers.pool.counts import PoolStatusCache
from resolvers.pool.history import ResultHistory
from resolvers.runtime import Runtime
from resolvers.units import results, tasks
from resolvers.volunteers import blocks, hosts
from resolvers.volunteers.claim_counts import ClaimCounts
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.contract import READS
from schema.machinery.directives import Hal, HalField, HalRole
from schema.machinery.nodes import Node, split_id
from schema.machinery.times import moment
from schema.types.enums import TaskState, Verdict
from schema.types.flow_nodes import FlowJob, FlowLevel, FlowRun
from schema.types.flows import Flow
from schema.types.hosts import Host
from schema.types.jobs import Job
from schema.types.results import Result
from schema.types.tasks import Task
from schema.types.variables import Variable


@strawberry.type(description="How many tasks are in each state.")
class TaskCounts:
    ready: int = strawberry.field(description="Waiting for a host: the depth of the queue.")
    held: int = strawberry.field(description="Of flows that are paused.")
    leased: int = strawberry.field(description="Being computed.")
    reported: int = strawberry.field(description="With a judged result.")
    expired: int = strawberry.field(description="Whose lease ran out.")
    cancelled: int = strawberry.field(description="Not needed any more.")

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> TaskCounts:
        tasks = {state: counts.get(state.value, 0) for state in TaskState}
        return cls(
            ready=tasks[TaskState.READY],
            held=tasks[TaskState.HELD],
            leased=tasks[TaskState.LEASED],
            reported=tasks[TaskState.REPORTED] + tasks[TaskState.REPORTING],
            expired=tasks[TaskState.EXPIRED] + tasks[TaskState.EXPIRING],
            cancelled=tasks[TaskState.CANCELLED],
        )


@strawberry.type(description="How many results have each verdict.")
class VerdictCounts:
    pending: int = strawberry.field(description="That wait for validation, or for more votes.")
    valid: int = strawberry.field(description="That agree with the canonical result.")
    invalid: int = strawberry.field(description="That were turned down or outvoted, and failed computations.")
    inconclusive: int = strawberry.field(description="That disagree, or could not be voted on.")
    canonical: int = strawberry.field(description="That are their variable's result.")
    too_late: int = strawberry.field(description="That came when their variable was decided.")

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> VerdictCounts:
        return cls(**{verdict.value.lower(): counts.get(verdict.value.lower(), 0) for verdict in Verdict})


@strawberry.type(description="What a job scheduler does.")
class SchedulerActivity:
    scheduler: str = strawberry.field(description="Its name.")
    tasks: int = strawberry.field(description="Tasks handed out in its order in the last 60 seconds.")


@strawberry.type(description="Counts of the pool at one moment. They are taken at most once a second.")
class PoolStatus:
    measured_at: datetime = strawberry.field(description="When it was counted.")
    tasks: TaskCounts = strawberry.field(description="Tasks by state.")
    results_last_minute: int = strawberry.field(description="Results that came in the last 60 seconds.")
    results_last_hour: int = strawberry.field(description="Results that came in the last 60 minutes.")
    hosts: int = strawberry.field(description="Hosts that ever came.")
    active_hosts: int = strawberry.field(description="Hosts that had a result judged in the last 10 minutes.")
    verdicts_last_hour: VerdictCounts = strawberry.field(
        description="Verdicts of the results that came in the last 60 minutes."
    )
    claims: list[SchedulerActivity] = strawberry.field(
        description="What the job schedulers of this server process do; those that do nothing are left out."
    )

    @classmethod
    def of(cls, status: counts.PoolStatus, claims: Mapping[str, int]) -> PoolStatus:
        return cls(
            measured_at=moment(status.measured_at),
            tasks=TaskCounts.of(status.tasks),
            results_last_minute=status.results_last_minute,
            results_last_hour=status.results_last_hour,
            hosts=status.hosts,
            active_hosts=status.active_hosts,
            verdicts_last_hour=VerdictCounts.of(status.verdicts_last_hour),
            claims=[SchedulerActivity(scheduler=name, tasks=count) for name, count in sorted(claims.items())],
        )


@strawberry.type(description="What changed in the pool's counts since the cursor before; null is what did not.")
class PoolDelta:
    cursor: str = strawberry.field(description="Give it as `after` to go on from here after a lost connection.")
    measured_at: datetime = strawberry.field(description="When it was counted.")
    tasks: TaskCounts | None = strawberry.field(description="Tasks by state.")
    results_last_minute: int | None = strawberry.field(description="Results that came in the last 60 seconds.")
    results_last_hour: int | None = strawberry.field(description="Results that came in the last 60 minutes.")
    hosts: int | None = strawberry.field(description="Hosts that ever came.")
    active_hosts: int | None = strawberry.field(description="Hosts that had a result judged in the last 10 minutes.")
    verdicts_last_hour: VerdictCounts | None = strawberry.field(
        description="Verdicts of the results that came in the last 60 minutes."
    )
    claims: list[SchedulerActivity] | None = strawberry.field(
        description="What the job schedulers of this server process do; those that do nothing are left out."
    )

    @classmethod
    def of(cls, delta: activity.PoolDelta) -> PoolDelta:
        counts = PoolStatus.of(delta.status, delta.claims)
        told = {name: getattr(counts, name) if name in delta.changed else None for name in activity.COUNTS}
        return cls(cursor=delta.cursor, measured_at=counts.measured_at, **told)


@strawberry.type(description="The pool.")
class Pool:
    name: str = strawberry.field(description="What this server calls itself.")
    default_scheduler: str = strawberry.field(
        directives=[HalField(hidden=True)], description="The job scheduler of requests that name none."
    )
    schedulers: list[str] = strawberry.field(
        directives=[HalField(hidden=True)], description="The job schedulers there are."
    )

    @strawberry.field(description="How much there is to do, and how fast it goes.")
    async def status(self, info: PoolInfo) -> PoolStatus:
        runtime = info.context.runtime
        return PoolStatus.of(await runtime.part(PoolStatusCache).status(), runtime.part(ClaimCounts).last_minute())

    @strawberry.field(
        directives=[HalField(hidden=True)],
        description="Results of each of the last 60 whole minutes, the oldest first.",
    )
    async def results_by_minute(self, info: PoolInfo) -> list[int]:
        runtime = info.context.runtime
        return await runtime.part(ResultHistory).by_minute()


async def _job(runtime: Runtime, principal: Principal, key: str) -> Node:
    return Job.of(await jobs.get(runtime, key))


async def _variable(runtime: Runtime, principal: Principal, key: str) -> Node:
    job, _, variable = key.partition("/")
    return Variable.of(await variables.get(runtime, job, variable, principal), variable)


async def _host(runtime: Runtime, principal: Principal, key: str) -> Node:
    return Host.of(await hosts.get(runtime, key))


async def _result(runtime: Runtime, principal: Principal, key: str) -> Node:
    found = await results.by_id(runtime, key, principal)
    return Result.of(found)


async def _task(runtime: Runtime, principal: Principal, key: str) -> Node:
    return Task.of(await tasks.by_id(runtime, key, principal))


async def _flow(runtime: Runtime, principal: Principal, key: str) -> Node:
    return Flow.of(await reading.get(runtime, key, principal))


async def _flow_level(runtime: Runtime, principal: Principal, key: str) -> Node:
    flow, _, number = key.partition("/")
    return FlowLevel.of(await reading.get_level(runtime, flow, number, principal))


async def _flow_job(runtime: Runtime, principal: Principal, key: str) -> Node:
    flow, _, number = key.partition("/")
    return FlowJob.of(await reading.get_job(runtime, flow, number, principal))


async def _flow_run(runtime: Runtime, principal: Principal, key: str) -> Node:
    return FlowRun.of(await reading.get_run(runtime, key, principal))


NODES: dict[str, Callable[[Runtime, Principal, str], Awaitable[Node]]] = {
    "Job": _job,
    "Variable": _variable,
    "Host": _host,
    "Result": _result,
    "Task": _task,
    "Flow": _flow,
    "FlowLevel": _flow_level,
    "FlowJob": _flow_job,
    "FlowRun": _flow_run,
}


@strawberry.type
class PoolQuery:
    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        directives=[Hal(path=["/"], role=HalRole.SELF, rel_wide=["api-root", "cp:pool"], contract=READS)],
        description="The pool as a whole.",
    )
    def pool(self, info: PoolInfo) -> Pool:
        runtime = info.context.runtime
        return Pool(
            name=runtime.name,
            default_scheduler=runtime.default_scheduler,
            schedulers=sorted(runtime.schedulers),
        )

    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        description="Whatever has this global id; null if nothing has, or who asks may not read it.",
    )
    async def node(
        self,
        info: PoolInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")],  # noqa: A002
    ) -> Node | None:
        kind, key = split_id(id)
        if kind not in NODES:
            raise BadInput(f"{kind} can't be looked up by id; {', '.join(NODES)} can", field="id")
        try:
            return await NODES[kind](info.context.runtime, await info.context.principal(), key)
        except NotFound:
            return None

    @strawberry.field(extensions=[Only(Allowed.ANYONE)], description="A variable of a job.")
    async def variable(
        self,
        info: PoolInfo,
        job: Annotated[str, strawberry.argument(description="The job's key.")],
        id: Annotated[str, strawberry.argument(description="The variable's id within the job.")],  # noqa: A002
    ) -> Variable:
        return Variable.of(await variables.get(info.context.runtime, job, id, await info.context.principal()), id)

    @strawberry.field(extensions=[Only(Allowed.ANYONE)], description="The host with this pseudonym.")
    async def host(self, info: PoolInfo, key: Annotated[str, strawberry.argument(description="Its key.")]) -> Host:
        return Host.of(await hosts.get(info.context.runtime, key))

    @strawberry.field(extensions=[Only(Allowed.ANYONE)], description="The hosts that ever came, the newest first.")
    async def hosts(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        blocked: Annotated[
            bool, strawberry.argument(description="Only those that are blocked, or whose network is. For operators.")
        ] = False,
        address_group: Annotated[
            str | None, strawberry.argument(description="Only those that last asked from this network. For operators.")
        ] = None,
    ) -> Connection[Host]:
        which = blocks.Which(blocked, address_group or "")
        principal = await info.context.principal()
        found = await blocks.hosts_that_are(
            info.context.runtime, principal, which, first=page_size(first) + 1, after=after or ""
        )
        return connection(found, first, node=Host.of, cursor=lambda host: host.seq, after=after)


@strawberry.type
class PoolSubscription:
    @strawberry.subscription(
        extensions=[Only(Allowed.ANYONE)],
        description="What changes in the pool's counts, at most once a second. The first delta comes at once, and has "
        "all of them unless `after` says what is known.",
    )
    async def pool_activity(
        self,
        info: PoolInfo,
        after: Annotated[
            str | None, strawberry.argument(description="The `cursor` of the last delta that was received.")
        ] = None,
    ) -> AsyncIterator[PoolDelta]:
        with info.context.subscription():
            async for delta in activity.watch(info.context.runtime, after or ""):
                yield PoolDelta.of(delta)

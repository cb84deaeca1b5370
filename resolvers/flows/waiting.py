"""Why a flow, or one of its jobs, is not done yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from resolvers.assessment import numbers_of
from resolvers.policies import Policy
from resolvers.runtime import Runtime
from storage.documents import Flow, FlowJob, FlowState, Host, NodeState, Run, Task, TaskState

SAMPLE = 20
RECENTLY_MS = 120_000
MOST_HOSTS = 1_000


class WaitKind(StrEnum):
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    LEVEL = "LEVEL"
    STARTING = "STARTING"
    NO_VOLUNTEER = "NO_VOLUNTEER"
    NO_SUPPORTER = "NO_SUPPORTER"
    QUEUE = "QUEUE"
    COMPUTING = "COMPUTING"
    VOTES = "VOTES"


@dataclass(frozen=True, slots=True)
class Wait:
    """One reason; `count` is what it counts (missing votes, levels, hosts at work, jobs in the queue)."""

    kind: WaitKind
    message: str
    count: int = 0


async def why_flow(runtime: Runtime, flow: Flow) -> list[Wait]:
    """What a flow waits for, told from a sample of its jobs that are under way. Empty once it has ended."""
    if standing := _of_state(flow):
        return standing
    active: list[FlowJob] = []
    for state in (NodeState.RUNNING, NodeState.QUEUED):
        active += await runtime.store.flow_jobs.page({"flow": flow.id, "state": str(state)}, first=SAMPLE)
    reasons: dict[WaitKind, Wait] = {}
    for each in active[:SAMPLE]:
        for wait in await _of_active(runtime, flow, each):
            known = reasons.get(wait.kind)
            reasons[wait.kind] = wait if known is None else _added(known, wait)
    return list(reasons.values())


def _added(known: Wait, more: Wait) -> Wait:
    return Wait(known.kind, known.message, known.count + more.count)


async def why_job(runtime: Runtime, flow: Flow, flow_job: FlowJob) -> list[Wait]:
    """What one job waits for. Empty once it has ended."""
    if flow_job.ended:
        return []
    if standing := _of_state(flow):
        return standing
    if flow_job.state == NodeState.WAITING:
        return [await _of_waiting(runtime, flow_job)]
    return await _of_active(runtime, flow, flow_job)


def _of_state(flow: Flow) -> list[Wait]:
    if flow.state == FlowState.PAUSED:
        return [Wait(WaitKind.PAUSED, "the flow is paused; resume it")]
    if flow.state == FlowState.CANCELLING:
        return [Wait(WaitKind.CANCELLING, "the flow is being cancelled")]
    return []


async def _of_waiting(runtime: Runtime, flow_job: FlowJob) -> Wait:
    level = await runtime.store.levels.get(flow_job.level)
    if level is None or level.state != NodeState.WAITING:
        return Wait(WaitKind.STARTING, "its level has begun, and it is about to start")
    below = await runtime.store.levels.below(level.id, level.dependents)
    unended = [each for each in below if not each.ended]
    names = ", ".join(str(each.number) for each in unended[:5])
    return Wait(WaitKind.LEVEL, f"waiting for level {names} to end", len(unended))


async def _of_active(runtime: Runtime, flow: Flow, flow_job: FlowJob) -> list[Wait]:
    run = await runtime.store.runs.get(Run.id_of(flow_job))
    if run is None:
        return [Wait(WaitKind.STARTING, "it is about to start")]
    ids = [Task.id_of(run.id, number) for number in numbers_of(run)]
    tasks = (await runtime.store.tasks.get_many(ids)).values()
    leased = [task for task in tasks if task.status == TaskState.LEASED]
    reported = [task for task in tasks if task.status in (TaskState.REPORTING, TaskState.REPORTED)]
    waits: list[Wait] = []
    if leased:
        waits.append(Wait(WaitKind.COMPUTING, f"{len(leased)} host(s) at work", len(leased)))
    missing = Policy.of(run.policy).quorum - len(reported)
    if reported and missing > 0:
        waits.append(Wait(WaitKind.VOTES, f"waiting for {missing} more vote(s)", missing))
    if any(task.status == TaskState.READY for task in tasks):
        waits.append(await _of_queue(runtime, flow_job))
    return waits


async def _of_queue(runtime: Runtime, flow_job: FlowJob) -> Wait:
    hosts = await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS)
    if not hosts:
        return Wait(WaitKind.NO_VOLUNTEER, "no volunteer has asked for work in the last two minutes", 1)
    job = await runtime.store.jobs.by_key(flow_job.job)
    owner = job.owner if job else ""
    if not _supporters(hosts, flow_job.job, owner):
        return Wait(WaitKind.NO_SUPPORTER, f"no volunteer supports the job {flow_job.job!r} or its owner {owner!r}", 1)
    return Wait(WaitKind.QUEUE, "in the queue for a volunteer", 1)


def _supporters(hosts: Sequence[Host], job: str, owner: str) -> list[Host]:
    return [host for host in hosts if (not host.owners or owner in host.owners) and (not host.jobs or job in host.jobs)]

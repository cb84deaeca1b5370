"""Why a flow, or one of its jobs, is not done yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from resolvers import assignments
from resolvers.assessment import numbers_of
from resolvers.policies import Policy
from resolvers.runtime import Runtime
from storage.documents import Flow, FlowJob, FlowState, Host, NodeState, Result, Run, Task, TaskState, Verdict

SAMPLE = 20
RECENTLY_MS = 120_000
MOST_NAMES = 5
MOST_HOSTS = 1_000


class WaitKind(StrEnum):
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    LEVEL = "LEVEL"
    STARTING = "STARTING"
    NO_VOLUNTEER = "NO_VOLUNTEER"
    NO_SUPPORTER = "NO_SUPPORTER"
    NO_OTHER_VOLUNTEER = "NO_OTHER_VOLUNTEER"
    QUEUE = "QUEUE"
    COMPUTING = "COMPUTING"
    JUDGING = "JUDGING"
    VOTES = "VOTES"
    FAILURES = "FAILURES"


COUNTED = {
    WaitKind.COMPUTING: ("{} task being computed", "{} tasks being computed"),
    WaitKind.JUDGING: ("{} result being judged", "{} results being judged"),
    WaitKind.VOTES: ("waiting for {} more vote", "waiting for {} more votes"),
}
"""The messages that say their count, of one and of more."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One reason; `count` is what it counts (missing votes, levels, tasks, jobs in the queue)."""

    kind: WaitKind
    message: str
    count: int = 0

    @classmethod
    def counted(cls, kind: WaitKind, count: int) -> Self:
        one, more = COUNTED[kind]
        return cls(kind, (one if count == 1 else more).format(count), count)


async def why_flow(runtime: Runtime, flow: Flow) -> list[Wait]:
    """What a flow waits for, told from a sample of its jobs that are under way. Empty once it has ended."""
    if standing := _of_state(flow):
        return standing
    active: list[FlowJob] = []
    for state in (NodeState.RUNNING, NodeState.QUEUED):
        active += await runtime.store.flow_jobs.page({"flow": flow.id, "state": str(state)}, first=SAMPLE)
    reasons: dict[WaitKind, Wait] = {}
    for wait in await _of_active(runtime, active[:SAMPLE]):
        known = reasons.get(wait.kind)
        reasons[wait.kind] = wait if known is None else _added(known, wait)
    if not reasons and not flow.ended:
        return [Wait(WaitKind.STARTING, "it is about to start")]
    return list(reasons.values())


def _added(known: Wait, more: Wait) -> Wait:
    count = known.count + more.count
    return Wait.counted(known.kind, count) if known.kind in COUNTED else Wait(known.kind, known.message, count)


async def why_job(runtime: Runtime, flow: Flow, flow_job: FlowJob) -> list[Wait]:
    """What one job waits for. Empty once it has ended."""
    if flow_job.ended:
        return []
    if standing := _of_state(flow):
        return standing
    if flow_job.state == NodeState.WAITING:
        return [await _of_waiting(runtime, flow_job)]
    return await _of_active(runtime, [flow_job])


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
    unended = await runtime.store.levels.count({"parent": level.id, "ended": False})
    if not unended:
        return Wait(WaitKind.STARTING, "its level is about to begin")
    names = ", ".join(map(str, await runtime.store.levels.unended_below(level.id, MOST_NAMES)))
    return Wait(WaitKind.LEVEL, f"waiting for level {names} to end", unended)


async def _of_active(runtime: Runtime, active: Sequence[FlowJob]) -> list[Wait]:
    runs = await runtime.store.runs.get_many(Run.id_of(each) for each in active)
    ids = {run.id: [Task.id_of(run.id, number) for number in numbers_of(run)] for run in runs.values()}
    tasks = await runtime.store.tasks.get_many(each for group in ids.values() for each in group)
    results = await runtime.store.results.get_many(tasks)
    hosts = await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS)
    waits: list[Wait] = []
    for flow_job in active:
        run = runs.get(Run.id_of(flow_job))
        if run is None:
            waits.append(Wait(WaitKind.STARTING, "it is about to start"))
            continue
        states = [tasks[each].status for each in ids[run.id] if each in tasks]
        counts = {
            WaitKind.COMPUTING: states.count(TaskState.LEASED),
            WaitKind.JUDGING: states.count(TaskState.REPORTING),
            WaitKind.VOTES: _missing_votes(run, [results[each] for each in ids[run.id] if each in results]),
        }
        found = [Wait.counted(kind, count) for kind, count in counts.items() if count]
        found += _failures(run, [results[each] for each in ids[run.id] if each in results])
        if TaskState.READY in states:
            found.append(await _of_queue(runtime, run, hosts))
        waits += found or [Wait(WaitKind.STARTING, "it is about to go on")]
    return waits


def _missing_votes(run: Run, results: Sequence[Result]) -> int:
    """How many more equal results would decide a run that has votes; 0 where it has none, or is decided."""
    votes = Counter(result.digest for result in results if result.digest and not result.second_vote)
    if run.finished_at or not votes:
        return 0
    return max(0, Policy.of(run.policy).quorum - max(votes.values()))


def _failures(run: Run, results: Sequence[Result]) -> list[Wait]:
    """What became of the tries that failed, as long as the run has others."""
    failed = [result for result in results if result.verdict == Verdict.INVALID and not result.digest]
    if run.finished_at or not failed:
        return []
    count, most = len(failed), Policy.of(run.policy).max_errors
    last = max(failed, key=lambda result: result.seq)
    return [Wait(WaitKind.FAILURES, f"{count} of its results failed, {most} would be too many: {last.reason}", count)]


async def _of_queue(runtime: Runtime, run: Run, hosts: Sequence[Host]) -> Wait:
    if not hosts:
        return Wait(WaitKind.NO_VOLUNTEER, "no volunteer has asked for work in the last two minutes", 1)
    job = await runtime.store.jobs.by_key(run.job)
    owner = job.owner if job else ""
    supporters = _supporters(hosts, run.job, owner)
    if not supporters:
        named = f"the job {run.job!r}" + (f" or its owner {owner!r}" if owner else "")
        return Wait(WaitKind.NO_SUPPORTER, f"no volunteer supports {named}", 1)
    # Each has another replica: where there are more of them than replicas, some have none.
    few = len(supporters) <= run.total + run.unsolicited
    if few and len(await assignments.holders(runtime, run.id, supporters)) == len(supporters):
        message = "every volunteer that asks for work has had it; another one is needed"
        return Wait(WaitKind.NO_OTHER_VOLUNTEER, message, 1)
    return Wait(WaitKind.QUEUE, "in the queue for a volunteer", 1)


def _supporters(hosts: Sequence[Host], job: str, owner: str) -> list[str]:
    return [
        host.key for host in hosts if (not host.owners or owner in host.owners) and (not host.jobs or job in host.jobs)
    ]

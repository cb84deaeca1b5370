"""Why a flow, or one of its jobs, is not done yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from resolvers.access.review import is_approved, is_flow_approved, waiting_for_review
from resolvers.flows import archived
from resolvers.flows.conditions import waiting_for_account
from resolvers.flows.runs import job_is_deleted
from resolvers.runtime import Runtime
from resolvers.units import assignments
from resolvers.units.policies import Policy
from storage import Flow, FlowJob, FlowState, Host, JobState, NodeState, Result, Run, Task, TaskState, Verdict

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
    REVIEW = "REVIEW"
    ARCHIVED = "ARCHIVED"
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
    """One reason; `count` is what it counts (missing votes, levels, tasks, jobs in the queue): of a sample where it is
    not `exact`."""

    kind: WaitKind
    message: str
    count: int = 0
    exact: bool = True

    @classmethod
    def counted(cls, kind: WaitKind, count: int) -> Self:
        one, more = COUNTED[kind]
        return cls(kind, (one if count == 1 else more).format(count), count)


NAMING = frozenset({WaitKind.REVIEW, WaitKind.ARCHIVED, WaitKind.NO_SUPPORTER})
"""Those whose messages name a job."""
IN_QUEUE = Wait(WaitKind.QUEUE, "in the queue for a volunteer", 1)


async def why_flow(runtime: Runtime, flow: Flow) -> list[Wait]:
    """What a flow waits for; empty once it has ended. Of more jobs than a few that hosts have taken, votes and failures
    are taken from a sample."""
    if standing := _of_state(flow):
        return standing
    running = await _in_state(runtime, flow, NodeState.RUNNING)
    queued = await _in_state(runtime, flow, NodeState.QUEUED)
    hosts = await _hosts(runtime)
    if len(running) > SAMPLE:
        waits = await _of_many_running(runtime, flow, running[:SAMPLE], hosts)
    else:
        waits = await _of_active(runtime, running, hosts)
    if len(queued) > SAMPLE:
        waits += await _of_many_queued(runtime, flow, hosts)
    else:
        waits += await _of_active(runtime, queued, hosts)
    if not waits and not flow.ended:
        return [await _of_start(runtime, flow, "it is about to start")]
    return _summed(waits)


async def _in_state(runtime: Runtime, flow: Flow, state: NodeState) -> Sequence[FlowJob]:
    """A few jobs in that state, and one more where there are more."""
    return await runtime.store.flow_jobs.page({"flow": flow.id, "state": str(state)}, first=SAMPLE + 1)


async def _hosts(runtime: Runtime) -> Sequence[Host]:
    return await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS)


async def _of_many_running(
    runtime: Runtime, flow: Flow, sample: Sequence[FlowJob], hosts: Sequence[Host]
) -> list[Wait]:
    waits: list[Wait] = []
    for kind, state in ((WaitKind.COMPUTING, TaskState.LEASED), (WaitKind.JUDGING, TaskState.REPORTING)):
        if count := await runtime.store.tasks.count({"flow": flow.id, "status": str(state)}):
            waits.append(Wait.counted(kind, count))
    told = {WaitKind.COMPUTING, WaitKind.JUDGING}
    sampled = [wait for wait in await _of_active(runtime, sample, hosts) if wait.kind not in told]
    return waits + [replace(wait, exact=False) for wait in sampled]


async def _of_many_queued(runtime: Runtime, flow: Flow, hosts: Sequence[Host]) -> list[Wait]:
    by_job = await runtime.store.flow_jobs.count_by("job", {"flow": flow.id, "state": str(NodeState.QUEUED)})
    waits: list[Wait] = []
    for job, count in sorted(by_job.items(), key=lambda each: -each[1]):
        # Of a flow of very many different jobs, those that most of it waits for; the rest is in the queue all the same.
        exact = len(waits) < SAMPLE
        wait = await _of_job(runtime, job, hosts) if exact else None
        waits.append(replace(wait or IN_QUEUE, count=count, exact=exact))
    return waits


def _summed(waits: Sequence[Wait]) -> list[Wait]:
    """One of each kind, with the sum of the counts; of kinds that name a job, one for each."""
    reasons: dict[tuple[WaitKind, str], Wait] = {}
    for wait in waits:
        place = wait.kind, wait.message if wait.kind in NAMING else ""
        known = reasons.get(place)
        reasons[place] = wait if known is None else _added(known, wait)
    return list(reasons.values())


def _added(known: Wait, more: Wait) -> Wait:
    count, exact = known.count + more.count, known.exact and more.exact
    message = Wait.counted(known.kind, count).message if known.kind in COUNTED else known.message
    return Wait(known.kind, message, count, exact)


async def why_job(runtime: Runtime, flow: Flow, flow_job: FlowJob) -> list[Wait]:
    """What one job waits for. Empty once it has ended."""
    if flow_job.ended:
        return []
    if standing := _of_state(flow):
        return standing
    if flow_job.state == NodeState.WAITING:
        return [await _of_waiting(runtime, flow, flow_job)]
    return await _of_active(runtime, [flow_job], await _hosts(runtime))


def _of_state(flow: Flow) -> list[Wait]:
    if flow.state == FlowState.PAUSED:
        return [Wait(WaitKind.PAUSED, "the flow is paused; resume it")]
    if flow.state == FlowState.CANCELLING:
        return [Wait(WaitKind.CANCELLING, "the flow is being cancelled")]
    return []


async def _of_start(runtime: Runtime, flow: Flow, message: str) -> Wait:
    if await is_flow_approved(runtime, flow):
        return Wait(WaitKind.STARTING, message)
    return Wait(WaitKind.REVIEW, waiting_for_account(flow), 1)


async def _of_waiting(runtime: Runtime, flow: Flow, flow_job: FlowJob) -> Wait:
    level = await runtime.store.levels.get(flow_job.level)
    if level is None or level.state != NodeState.WAITING:
        return await _of_start(runtime, flow, "its level has begun, and it is about to start")
    unended = await runtime.store.levels.count({"parent": level.id, "ended": False})
    if not unended:
        return Wait(WaitKind.STARTING, "its level is about to begin")
    names = ", ".join(map(str, await runtime.store.levels.unended_below(level.id, MOST_NAMES)))
    return Wait(WaitKind.LEVEL, f"waiting for level {names} to end", unended)


async def _of_active(runtime: Runtime, active: Sequence[FlowJob], hosts: Sequence[Host]) -> list[Wait]:
    runs = await runtime.store.runs.get_many(Run.id_of(each) for each in active)
    ids = {run.id: [Task.id_of(run.id, number) for number in run.numbers] for run in runs.values()}
    tasks = await runtime.store.tasks.get_many(each for group in ids.values() for each in group)
    results = await runtime.store.results.get_many(tasks)
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
    if wait := await _of_job(runtime, run.job, hosts):
        return wait
    supporters = _supporters(hosts, run.job, await _owner(runtime, run.job))
    # Each has another replica: where there are more of them than replicas, some have none.
    few = len(supporters) <= run.total + run.unsolicited
    if few and len(await assignments.holders(runtime, run.id, supporters)) == len(supporters):
        message = "every volunteer that asks for work has had it; another one is needed"
        return Wait(WaitKind.NO_OTHER_VOLUNTEER, message, 1)
    return IN_QUEUE


async def _of_job(runtime: Runtime, job_key: str, hosts: Sequence[Host]) -> Wait | None:
    """Why no volunteer takes tasks of a job; None where there are some that would."""
    job = await runtime.store.jobs.by_key(job_key)
    if job is None:
        return Wait(WaitKind.ARCHIVED, job_is_deleted(job_key), 1)
    if job.state == JobState.ARCHIVED:
        return Wait(WaitKind.ARCHIVED, archived.reason(job), 1)
    if not is_approved(job):
        return Wait(WaitKind.REVIEW, waiting_for_review(job_key), 1)
    if not hosts:
        return Wait(WaitKind.NO_VOLUNTEER, "no volunteer has asked for work in the last two minutes", 1)
    owner = job.owner
    if not _supporters(hosts, job_key, owner):
        named = f"the job {job_key!r}" + (f" or its owner {owner!r}" if owner else "")
        return Wait(WaitKind.NO_SUPPORTER, f"no volunteer supports {named}", 1)
    return None


async def _owner(runtime: Runtime, job_key: str) -> str:
    job = await runtime.store.jobs.by_key(job_key)
    return job.owner if job else ""


def _supporters(hosts: Sequence[Host], job: str, owner: str) -> list[str]:
    return [
        host.key for host in hosts if (not host.owners or owner in host.owners) and (not host.jobs or job in host.jobs)
    ]

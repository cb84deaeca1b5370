"""A pool of the jobs in `written`, and volunteers that compute them in random order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from resolvers.flows import reading, structure, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.runtime import Runtime, new_seq
from resolvers.sweeping.sweep import sweep
from resolvers.units.policies import Policy
from resolvers.volunteers import claims, leases, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.picking import ClaimedTask
from storage import Flow, FlowJob, FlowState, NodeState, TaskState, UnitState, Variable
from storage.jobs import Job as StoredJob
from storage.levels import Level as StoredLevel
from tests.resolvers.flows.model import Failure, Job, Level, Meaning, State
from tests.resolvers.flows.written import VARIABLES, compute
from tests.resolvers.playing import LEASE_S, Clock, leases_of

HONEST = ("ann", "bob", "cid", "dan")
CHEAT = "eve"
MOST_ROUNDS = 2_000


async def open_pool(runtime: Runtime, **policy: Any) -> None:
    """Store the jobs and their variables, of which nobody wants a result but flows."""
    stored = Policy().overridden(policy).dump()
    await runtime.store.jobs.insert_many([_stored_job(runtime, name, stored) for name in VARIABLES])
    await runtime.store.variables.insert_many(
        [
            _stored_variable(runtime, job, key, value)
            for job, values in VARIABLES.items()
            for key, value in values.items()
        ]
    )


def _stored_job(runtime: Runtime, name: str, policy: dict[str, Any]) -> StoredJob:
    source = "return context;"
    return StoredJob(
        id=StoredJob.id_of(name),
        key=name,
        name=name,
        seq=new_seq(),
        created_at=runtime.now(),
        updated_at=runtime.now(),
        execute_function=source,
        execute_body=source,
        sha256="",
        policy=policy,
    )


def _stored_variable(runtime: Runtime, job: str, key: str, value: Any) -> Variable:
    return Variable(
        id=Variable.id_of(job, key),
        key=key,
        job=job,
        value=orjson.dumps(value).decode(),
        seq=new_seq(),
        rand=runtime.random.random(),
        state=UnitState.DONE,
        due=0,
        created_at=runtime.now(),
        finished_at=runtime.now(),
    )


def as_submitted(level: Level) -> NewLevel:
    return NewLevel([_job(each) for each in level.jobs], [as_submitted(each) for each in level.dependent])


def _job(job: Job) -> NewFlowJob:
    return NewFlowJob(
        job=job.job,
        variable=job.variable or "",
        condition=job.condition.source if job.condition else "",
        repeat=job.repeat.source if job.repeat else "",
        alias=job.alias or "",
        policy=job.policy,
    )


async def submit(runtime: Runtime, root: Level, keep_going: bool = False, **said: Any) -> Flow:
    on_failure = submission.OnFailure.CONTINUE if keep_going else submission.OnFailure.FAIL
    return await submission.submit(runtime, submission.NewFlow(as_submitted(root), on_failure=on_failure, **said))


async def jobs_of(runtime: Runtime, flow: Flow) -> list[FlowJob]:
    return list(await reading.jobs_page(runtime, flow, first=100))


@dataclass(slots=True)
class Volunteers:
    """Hosts that take turns at random: they claim, forget, give back, and report in any order."""

    chance: random.Random
    hosts: Sequence[str] = HONEST

    async def finish(self, runtime: Runtime, clock: Clock, flow: Flow) -> Flow:
        """Work until the flow has ended, letting leases run out where nothing else is left to do."""
        held: list[tuple[str, ClaimedTask]] = []
        for _ in range(MOST_ROUNDS):
            flow = await reading.get(runtime, flow.key)
            if flow.ended:
                return flow
            if not await self.take_turn(runtime, held):
                clock.advance(LEASE_S + 1)
                await sweep(runtime)
                await runtime.settled()
        raise AssertionError(f"the flow does not end: {flow}")

    async def take_turn(self, runtime: Runtime, held: list[tuple[str, ClaimedTask]]) -> bool:
        """Something that one host does; whether there was something to do."""
        host = self.chance.choice(self.hosts)
        claim = await claims.claim(runtime, ClaimRequest(host, self.chance.randint(1, 6)))
        held += [(host, task) for task in claim.tasks]
        if not held:
            return any([await self._take_turn_of(runtime, each, held) for each in self.hosts])
        self.chance.shuffle(held)
        now = [held.pop() for _ in range(self.chance.randint(1, len(held)))]
        for worker in {host for host, _ in now}:
            mine = [task for host, task in now if host == worker]
            if self.chance.random() < 0.1:
                await leases.release(runtime, leases_of(mine))
            elif self.chance.random() < 0.95:
                await reports.submit(runtime, worker, [report(worker, each) for each in mine])
            # Otherwise the lease runs out.
        return True

    async def _take_turn_of(self, runtime: Runtime, host: str, held: list[tuple[str, ClaimedTask]]) -> bool:
        claim = await claims.claim(runtime, ClaimRequest(host, 3))
        held += [(host, task) for task in claim.tasks]
        return bool(claim.tasks)


def report(host: str, claimed: ClaimedTask) -> reports.Report:
    """What a host says of a task: the truth, unless it is the cheat."""
    task = claimed.task
    try:
        value, context = compute(task.job, orjson.loads(claimed.unit.value), orjson.loads(claimed.unit.context))
    except Failure as failure:
        return reports.Report(task.id, task.lease, error=str(failure), elapsed_ms=5)
    if host == CHEAT:
        value = {"cheated": value}
    return reports.Report(task.id, task.lease, value, context, elapsed_ms=5)


@dataclass(slots=True)
class Stored:
    """A flow as the engine left it: its levels and jobs by path."""

    flow: Flow
    root: Level
    levels: Mapping[str, StoredLevel]
    jobs: Mapping[str, FlowJob]

    @classmethod
    async def read(cls, runtime: Runtime, flow: Flow, root: Level) -> Stored:
        paths = [path for path, _ in root.walk()]
        levels = await runtime.store.levels.page({"flow": flow.id}, first=structure.MOST_LEVELS)
        by_id = {level.id: path for path, level in zip(paths, levels, strict=True)}
        found = await runtime.store.flow_jobs.page({"flow": flow.id}, first=structure.MOST_JOBS)
        jobs = {f"{by_id[job.level]}jobs[{job.position}]": job for job in found}
        return cls(await reading.get(runtime, flow.key), root, dict(zip(paths, levels, strict=True)), jobs)

    def check(self) -> None:
        """Compare with what the model says of the flow, for the variables that the pool picked.

        A flow that nobody cancelled, and that keeps going or has no job that fails, is COMPLETED and agrees in all: its
        result, each level's state, context and merged object, each job's state, result and number of repeats. One that
        a job fails is FAILED and names such a job. Of flows that ended early, what ended by itself ended as in the
        model, and all else is CANCELLED.
        """
        keep_going = self.flow.on_failure == "CONTINUE"
        meaning = Meaning(compute, self._value_of, keep_going)
        result = meaning.level(self.root)
        if self.flow.state == FlowState.CANCELLED:
            result = None
        elif result is not None:
            assert self.flow.state == FlowState.COMPLETED, self.flow.reason
            assert orjson.loads(self.flow.result) == result
        else:
            assert self.flow.state == FlowState.FAILED
            failed = [job for job in self.jobs.values() if job.state == NodeState.FAILED]
            assert any(f"its job {job.alias!r} failed: {job.reason}" in self.flow.reason for job in failed)
        for path, job in self.jobs.items():
            if result is not None or job.state != NodeState.CANCELLED:
                end = meaning.jobs[path]
                assert job.state == end.state, (path, job)
                assert end.state != State.COMPLETED or orjson.loads(job.value) == end.result, (path, job)
                # After a retry a `while` gets its iterations anew: it fails later than the model's, never sooner.
                later = job.generation > 0 and job.state == NodeState.FAILED and "max_iterations" in job.reason
                assert job.iteration >= end.repeats if later else job.iteration == end.repeats, (path, job)
        for path, level in self.levels.items():
            if result is not None or level.state != NodeState.CANCELLED:
                level_end = meaning.levels[path]
                assert level.state == level_end.state, (path, level)
                assert orjson.loads(level.context) == level_end.context, (path, level)
                assert result is None or orjson.loads(level.merged) == level_end.merged, (path, level)

    def _value_of(self, path: str, job: Job) -> Any:
        key = job.variable or self.jobs[path].variable
        return VARIABLES[job.job][key] if key else {}


async def check_nothing_is_left(runtime: Runtime, flow: Flow, *, reporting: bool = False) -> None:
    """Of a flow that has ended no task is handed out any more, none is REPORTING (unless a process died over its
    report just now), and each run's result was taken."""
    tasks = await runtime.store.tasks.count_by("status", {"flow": flow.id})
    under_way = set() if reporting else {TaskState.REPORTING, TaskState.EXPIRING}
    assert not tasks.keys() & ({TaskState.READY, TaskState.HELD} | under_way), tasks
    runs = await runtime.store.runs.page({"flow": flow.id}, first=structure.MOST_JOBS)
    assert {run.state for run in runs} <= {UnitState.DONE, UnitState.FAILED, UnitState.CANCELLED}
    jobs = {job.id: job for job in await runtime.store.flow_jobs.page({"flow": flow.id}, first=structure.MOST_JOBS)}
    for job in jobs.values():
        taken = [run.iteration for run in runs if run.flow_job == job.id and run.state == UnitState.DONE]
        if job.state == NodeState.COMPLETED:
            assert set(taken) == set(range(job.iteration + 1)), job

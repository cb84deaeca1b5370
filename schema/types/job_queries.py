"""Looking jobs up: by key, in a list, and by a scheduler."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.owners import jobs
from resolvers.volunteers import scheduled_job
from schema.machinery.access import Only
from schema.machinery.connections import After, Before, Connection, First, Last, Turn, turned
from schema.machinery.context import PoolInfo
from schema.machinery.contract import READS
from schema.machinery.directives import Hal, HalRole
from schema.types.jobs import Job


@strawberry.type
class JobQuery:
    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        directives=[
            Hal(
                path=["/jobs/{key}"],
                role=HalRole.SELF,
                rel_wide=["get-job", "get_job", "cp:job"],
                contract=[*READS, 3, 4],
            )
        ],
        description="The job with this key.",
    )
    async def job(
        self, info: PoolInfo, key: Annotated[str, strawberry.argument(description="The job's key (slug).")]
    ) -> Job:
        return Job.of(await jobs.get(info.context.runtime, key))

    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        directives=[
            Hal(
                path=["/jobs"],
                role=HalRole.LINKS,
                members="jobs",
                rel_wide=["jobs-root", "cp:jobs"],
                contract=[*READS, 10, 11],
            )
        ],
        description="Active jobs in the order of their creation.",
    )
    async def jobs(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        last: Last = None,
        before: Before = None,
        owner: Annotated[str | None, strawberry.argument(description="Only this owner's jobs.")] = None,
    ) -> Connection[Job]:
        turn = Turn.asked(first, after, last, before)
        found = await jobs.page(
            info.context.runtime,
            first=turn.size + 1,
            after=turn.cursor,
            owner=owner or "",
            backwards=turn.backwards,
        )
        return turned(found, turn, node=Job.of, cursor=lambda job: job.seq)

    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        directives=[
            Hal(path=["/jobs"], role=HalRole.HOIST, contract=[3, 4]),
            Hal(
                path=["/jobs/scheduler", "/jobs/scheduled", "/jobs/scheduled/{scheduler}"],
                root_property="job_scheduler_url",
                contract=[*READS, 3, 4],
            ),
        ],
        description="The job that a scheduler offers first; null when there are no jobs.",
    )
    async def scheduled_job(
        self,
        info: PoolInfo,
        scheduler: Annotated[
            str,
            strawberry.argument(
                description="`random`, `shortest`, `owners`, `oldest` or an installed one; empty: the pool's default."
            ),
        ] = "",
        owner: Annotated[
            list[str] | None, strawberry.argument(description="Only jobs of these owners (one or several).")
        ] = None,
    ) -> Job | None:
        job = await scheduled_job.pick_job(info.context.runtime, scheduler=scheduler, owners=owner or ())
        return None if job is None else Job.of(job)

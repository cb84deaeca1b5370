"""What the small pool can be asked: every kind of route that the facade can serve to read."""

from __future__ import annotations

import strawberry

from resolvers.errors import RateLimited, Unauthenticated
from schema.machinery.directives import Hal, HalRole
from tests.rest_compat.small_pool.connections import Connection, connection
from tests.rest_compat.small_pool.types import Job, PoolInfo, State


@strawberry.type(description="The pool.")
class Home:
    volunteers: int


@strawberry.type
class Query:
    @strawberry.field(directives=[Hal(path=["/"], role=HalRole.SELF, rel_wide=["api-root"])], description="It.")
    def home(self) -> Home:
        return Home(volunteers=3)

    @strawberry.field(
        directives=[
            Hal(
                path=["/jobs/{key}"],
                role=HalRole.SELF,
                rel=["job"],
                rel_wide=["get-job", "get_job"],
                contract=[1, 4],
            )
        ],
        description="A job.",
    )
    async def job(self, info: PoolInfo, key: str) -> Job | None:
        return info.context.jobs.get(key)

    @strawberry.field(
        directives=[Hal(path=["/jobs"], role=HalRole.LINKS, rel_wide=["jobs-root"])], description="All jobs."
    )
    def jobs(
        self,
        info: PoolInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        state: State | None = None,
    ) -> Connection[Job]:
        found = [job for job in info.context.jobs.values() if state in (None, job.state)]
        return connection(found, lambda job: job, first, after, last, before)

    @strawberry.field(
        directives=[
            Hal(path=["/jobs"], role=HalRole.HOIST),
            Hal(
                path=["/jobs/scheduler", "/jobs/scheduled", "/jobs/scheduled/{scheduler}"],
                root_property="job_scheduler_url",
            ),
        ],
        description="The job that a scheduler picks.",
    )
    def scheduled_job(self, info: PoolInfo, scheduler: str = "oldest", owners: list[str] | None = None) -> Job | None:
        found = [job for job in info.context.jobs.values() if owners is None or job.name in owners]
        return (found[0] if scheduler == "oldest" else found[-1]) if found else None

    @strawberry.field(directives=[Hal(path=["/broken"])], description="Always fails.")
    def broken(self, how: str = "bug") -> Home:
        raise {
            "bug": RuntimeError("a secret of ours"),
            "limit": RateLimited("slower, please", retry_after_s=7),
            "token": Unauthenticated("no token"),
        }[how]

"""Jobs: named code that volunteers run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import json_text
from resolvers.access.rules import Allowed
from resolvers.documents import Job as JobDocument
from resolvers.documents import UnitState
from resolvers.json_text import JsonText
from resolvers.owners import jobs, variables
from resolvers.units import results
from resolvers.units.policies import Policy as StoredPolicy
from resolvers.volunteers import scheduled_job
from schema.machinery.access import Only
from schema.machinery.connections import After, Before, Connection, First, Last, Turn, connection, page_size, turned
from schema.machinery.context import PoolInfo
from schema.machinery.contract import READS
from schema.machinery.directives import Hal, HalField, HalRole
from schema.machinery.nodes import Node, global_id
from schema.machinery.times import moment
from schema.types.enums import JobState, VariableState
from schema.types.policies import Policy
from schema.types.results import Result
from schema.types.variables import Variable

HIDDEN = HalField(hidden=True)
DEFAULT_LOCALE = "en"


@strawberry.type(description="Named code that volunteers run on variables.")
class Job(Node):
    document: strawberry.Private[JobDocument]
    key: str = strawberry.field(description="Slug of the name: the job's place in URLs, and its name in other calls.")
    name: str = strawberry.field(directives=[HalField(link="name")], description="What its owner calls it.")
    owner: str = strawberry.field(
        description="Who submitted it: an account's key; where the pool wants no tokens, whom its metadata names."
    )
    state: JobState = strawberry.field(description="Whether its work is handed out.")
    execute_function: str = strawberry.field(
        directives=[HIDDEN],
        description=(
            "`execute_function(variable, context)` as its owner wrote it: a function expression, an arrow function or "
            "a function's body. It returns the context with a `result` field."
        ),
    )
    execute_body: str = strawberry.field(
        directives=[HalField(name="execute_function")],
        description="The same as a function's body over `variable, context`, to be compiled by `new Function`.",
    )
    sha256: str = strawberry.field(
        description="SHA-256 (hex) of `executeFunction` in UTF-8: check it before you run it."
    )
    validate_result: str | None = strawberry.field(
        directives=[HIDDEN],
        description="`validate_result(variable, result, context)`, run by the pool on every result; null: accept all.",
    )
    variable_scheduler: str | None = strawberry.field(
        directives=[HIDDEN],
        description="`variable_scheduler(context)`, which returns the id of the variable to hand out; null: random.",
    )
    compare_results: str | None = strawberry.field(
        directives=[HIDDEN],
        description="`compareResults(a, b)`: whether two results agree; null: equality of their canonical JSON.",
    )
    metadata: JsonText = strawberry.field(
        description="What the owner says of it: `description[locale]`, `shortDescription[locale]`, `owner`, anything."
    )
    scheduler_problem: str | None = strawberry.field(
        directives=[HIDDEN],
        description="Why its `variableScheduler` was passed over the last time it was asked; null: all is well.",
    )
    created_at: datetime = strawberry.field(description="When it was submitted.")
    updated_at: datetime = strawberry.field(directives=[HIDDEN], description="When it was changed the last time.")

    @classmethod
    def of(cls, job: JobDocument) -> Job:
        return cls(
            id=global_id("Job", job.key),
            document=job,
            key=job.key,
            name=job.name,
            owner=job.owner,
            state=JobState(job.state),
            execute_function=job.execute_function,
            execute_body=job.execute_body,
            sha256=job.sha256,
            validate_result=job.validate_result or None,
            variable_scheduler=job.variable_scheduler or None,
            compare_results=job.compare_results or None,
            metadata=JsonText(job.metadata),
            scheduler_problem=job.scheduler_problem or None,
            created_at=moment(job.created_at),
            updated_at=moment(job.updated_at),
        )

    @strawberry.field(description="How its results are trusted.")
    def policy(self) -> Policy:
        return Policy.of(StoredPolicy.of(self.document.policy))

    @strawberry.field(description="`metadata.description` in a language, in English, or in whatever there is.")
    def description(
        self, locale: Annotated[str, strawberry.argument(description="Such as `es` or `pt-BR`.")] = "en"
    ) -> str | None:
        texts = json_text.parse(self.metadata).get("description", {})
        return localised(texts, locale)

    @strawberry.field(description="Observed run time of one task in ms (a moving average); null while unknown.")
    async def run_milliseconds(self, info: PoolInfo) -> float | None:
        return await jobs.run_ms(info.context.runtime, self.key) or None

    @strawberry.field(description="How many variables there are in each state. Counted on demand.")
    async def variable_counts(self, info: PoolInfo) -> VariableCounts:
        counts = await variables.counts(info.context.runtime, self.key)
        return VariableCounts(**{state.name.lower(): counts.get(state.value, 0) for state in VariableState})

    @strawberry.field(
        directives=[Hal(path=["variables/{id}"], role=HalRole.SELF, contract=[*READS, 3])],
        description="One of its variables.",
    )
    async def variable(
        self,
        info: PoolInfo,
        id: Annotated[str, strawberry.argument(description="The variable's id within the job.")],  # noqa: A002
    ) -> Variable:
        return Variable.of(await variables.get(info.context.runtime, self.key, id))

    @strawberry.field(description="Its variables in the order of their creation.")
    async def variables(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        state: Annotated[VariableState | None, strawberry.argument(description="Only those in this state.")] = None,
    ) -> Connection[Variable]:
        found = await variables.page(
            info.context.runtime,
            self.key,
            first=page_size(first) + 1,
            after=after or "",
            state=state and UnitState(state.value),
        )
        return connection(found, first, node=Variable.of, cursor=lambda each: each.seq, after=after)

    @strawberry.field(description="What was reported for its variables and its runs in flows, the newest first.")
    async def results(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Result]:
        found = await results.of_job(info.context.runtime, self.key, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=Result.of, cursor=lambda each: each.seq, after=after)

    @strawberry.field(
        directives=[
            Hal(
                path=["variables"],
                role=HalRole.LINKS,
                members="variables",
                rel=["get_variables"],
                rel_wide=["variables-root", "cp:variables"],
                contract=[*READS, 10, 11],
            )
        ],
        description="Its variables that still want results, in a random order.",
    )
    async def open_variables(
        self, info: PoolInfo, first: First = 100, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Variable]:
        turn = Turn.asked(first, after, last, before)
        found = await variables.wanted(
            info.context.runtime, self.key, first=turn.size + 1, after=turn.cursor, backwards=turn.backwards
        )
        return turned(found, turn, node=lambda each: Variable.of(each[1]), cursor=lambda each: each[0])

    @strawberry.field(
        directives=[Hal(path=["variables"], role=HalRole.STAND_IN, warning="Job has no variables")],
        description="The variable that its own scheduler picks, or a random one that wants results; null: none does.",
    )
    async def scheduled_variable(self, info: PoolInfo) -> Variable | None:
        picked = await variables.offer(info.context.runtime, self.document)
        return None if picked is None else Variable.of(picked)


@strawberry.type(description="How many of a job's variables are in each state.")
class VariableCounts:
    new: int = strawberry.field(description="Whose tasks are being created.")
    open: int = strawberry.field(description="That want results.")
    done: int = strawberry.field(description="That have their canonical result.")
    failed: int = strawberry.field(description="That were given up.")
    cancelled: int = strawberry.field(description="That nobody wants any more.")


def localised(texts: Mapping[str, str], locale: str) -> str | None:
    """The text for a locale (BCP 47), its language, English, or any."""
    language = locale.split("-", maxsplit=1)[0]
    for wanted in (locale, language, DEFAULT_LOCALE):
        if wanted in texts:
            return texts[wanted]
    return next(iter(texts.values()), None)


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

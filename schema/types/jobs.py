"""Jobs: named code that volunteers run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Annotated

import strawberry

from resolvers import json_text
from resolvers.documents import Job as JobDocument
from resolvers.documents import UnitState
from resolvers.json_text import JsonText
from resolvers.owners import jobs, offers, variables
from resolvers.units import results
from resolvers.units.policies import Policy as StoredPolicy
from resolvers.volunteers.blocks import Blocks
from schema.machinery.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    Turn,
    connection,
    no_members,
    page_size,
    turned,
)
from schema.machinery.context import PoolInfo
from schema.machinery.contract import READS
from schema.machinery.directives import Hal, HalField, HalRole
from schema.machinery.nodes import Node, global_id
from schema.machinery.times import moment
from schema.machinery.visibility import Private
from schema.types.enums import JobState, Review, VariableState
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
    review: Review = strawberry.field(
        directives=[HIDDEN], description="Whether the pool's operator has approved it, where jobs are reviewed."
    )
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
    metadata: JsonText = strawberry.field(
        description="What the owner says of it: `description[locale]`, `shortDescription[locale]`, `owner`, anything."
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
            review=Review(job.review),
            execute_function=job.execute_function,
            execute_body=job.execute_body,
            sha256=job.sha256,
            metadata=JsonText(job.metadata),
            created_at=moment(job.created_at),
            updated_at=moment(job.updated_at),
        )

    @strawberry.field(
        description="Whether who asks may read its variables and results, its server-side functions, and what went "
        "wrong: these are null or empty otherwise."
    )
    async def viewer_can_read(self, info: PoolInfo) -> bool:
        return await info.context.may_read(self.document)

    @strawberry.field(
        extensions=[Private()],
        description="`validate_result(variable, result, context)`, run by the pool on every result; null: accept all.",
    )
    def validate_result(self) -> str | None:
        return self.document.validate_result or None

    @strawberry.field(
        extensions=[Private()],
        description="`variable_scheduler(context)`, which returns the id of the variable to hand out; null: random.",
    )
    def variable_scheduler(self) -> str | None:
        return self.document.variable_scheduler or None

    @strawberry.field(
        extensions=[Private()],
        description="`compareResults(a, b)`: whether two results agree; null: equality of their canonical JSON.",
    )
    def compare_results(self) -> str | None:
        return self.document.compare_results or None

    @strawberry.field(
        extensions=[Private()],
        description="Why its `variableScheduler` was passed over the last time it was asked; null: all is well.",
    )
    def scheduler_problem(self) -> str | None:
        return self.document.scheduler_problem or None

    @strawberry.field(
        extensions=[Private()], description="Why the pool's operator rejected it; null: it was not rejected."
    )
    def review_reason(self) -> str | None:
        return self.document.review_reason or None

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
        description="One of its variables. One of a PRIVATE job is not there, except for those who may read the job, "
        "and under the `key` by which it was handed out.",
    )
    async def variable(
        self,
        info: PoolInfo,
        id: Annotated[str, strawberry.argument(description="The variable's id within the job.")],  # noqa: A002
    ) -> Variable:
        principal = await info.context.principal()
        return Variable.of(await variables.get(info.context.runtime, self.key, id, principal), id)

    @strawberry.field(extensions=[Private(no_members)], description="Its variables in the order of their creation.")
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

    @strawberry.field(
        extensions=[Private(no_members)],
        description="What was reported for its variables and its runs in flows, the newest first. Those of flows that "
        "are PRIVATE are left out for whoever may not read them.",
    )
    async def results(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Result]:
        found = await results.of_job(info.context.runtime, self.key, first=page_size(first) + 1, after=after or "")
        page = connection(found, first, node=Result.of, cursor=lambda each: each.seq, after=after)
        seen = await info.context.readable(found)
        page.edges = [each for each in page.edges if each.node.document.id in seen]
        return page

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
        description="Its variables that still want results, in a random order. Of a PRIVATE job one of them, handed "
        "out as by `scheduledVariable`, except for those who may read the job.",
    )
    async def open_variables(
        self, info: PoolInfo, first: First = 100, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Variable]:
        turn = Turn.asked(first, after, last, before)
        runtime = info.context.runtime
        if runtime.part(Blocks).of(group=info.context.group):
            return turned([], turn, node=lambda each: each, cursor=attrgetter("key"))
        if not await info.context.may_read(self.document):
            one = [each for _, each in await offers.wanted(runtime, self.key, first=1)]
            return turned(
                await Variable.handed_out(one, info), Turn(1), node=lambda each: each, cursor=attrgetter("key")
            )
        found = await offers.wanted(runtime, self.key, first=turn.size + 1, after=turn.cursor, backwards=turn.backwards)
        return turned(found, turn, node=lambda each: Variable.of(each[1]), cursor=lambda each: each[0])

    @strawberry.field(
        directives=[Hal(path=["variables"], role=HalRole.STAND_IN, warning="Job has no variables")],
        description="The variable that its own scheduler picks, or a random one that wants results; null: none does. "
        "One of a PRIVATE job can be read and computed by its `key` as it is handed out here.",
    )
    async def scheduled_variable(self, info: PoolInfo) -> Variable | None:
        if info.context.runtime.part(Blocks).of(group=info.context.group):
            return None
        picked = await offers.offer(info.context.runtime, self.document)
        return None if picked is None else (await Variable.handed_out([picked], info))[0]


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

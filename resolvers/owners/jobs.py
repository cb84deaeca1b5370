"""Jobs: named code with a policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slugify import slugify

from resolvers import functions, json_text
from resolvers.access.principals import EVERYBODY, Principal, Scope
from resolvers.access.review import review_of_new
from resolvers.access.rules import check_account, check_scope, owner_of_new
from resolvers.access.visibility import default_visibility
from resolvers.errors import (
    AlreadyExists,
    BadInput,
    InProgress,
    NotFound,
)
from resolvers.idempotency import Repeatable, once
from resolvers.identifiers import JOB_KEY, checked_cursor, checked_text
from resolvers.owners.quotas import Quotas, Usage
from resolvers.runtime import Runtime, new_seq
from resolvers.space import Space
from resolvers.units.kinds import VariableKind
from resolvers.units.policies import Policy, VariableSource
from resolvers.units.queues import OpenQueues
from storage import Job, JobState, Review

RESERVED_KEYS = frozenset({"scheduled", "scheduler"})
MAX_METADATA_BYTES = 64_000
MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class NewJob:
    name: str
    execute_function: str
    validate_result: str = ""
    variable_scheduler: str = ""
    compare_results: str = ""
    metadata: Any = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""


async def create(runtime: Runtime, new: NewJob, principal: Principal = EVERYBODY) -> Job:
    """Store a job of the principal's. Its JavaScript is compiled first: what does not parse is refused with line and
    column.

    Raises BadInput, TooLarge, UnparsableJavaScript, AlreadyExists for a key that is taken, InProgress for that of a
    job that was just deleted, Forbidden for metadata that names another owner, QuotaExceeded, Unavailable, and what
    `once` raises.
    """
    runtime.part(Space).check_for_work()
    key = key_of(new.name)
    metadata, named = checked_metadata(new.metadata)
    owner, account = owner_of_new(principal, named, field="metadata.owner")
    policy = Policy(visibility=default_visibility(runtime)).overridden(new.policy).dump()

    def meaning() -> list[Any]:
        return [new.name, [getattr(new, name) for name in functions.OF_A_JOB], json_text.parse(metadata), policy]

    request = Repeatable(f"job {account}".rstrip(), new.idempotency_key, meaning)

    async def carry_out() -> str:
        sources = json_text.size_of(metadata, *(getattr(new, name) for name in functions.OF_A_JOB))
        await runtime.part(Quotas).take(account, Usage(sources))
        form = await functions.compiled(runtime, new.execute_function, "execute_function", account=account)
        await _compile_optional(runtime, new, account)
        now = runtime.now()
        job = Job(
            id=Job.id_of(key),
            key=key,
            name=new.name,
            seq=new_seq(),
            owner=owner,
            account=account,
            created_at=now,
            updated_at=now,
            execute_body=form.body,
            sha256=hashlib.sha256(new.execute_function.encode()).hexdigest(),
            metadata=metadata,
            policy=policy,
            request=request.mark,
            review=await review_of_new(runtime, principal, account),
            **{name: getattr(new, name) for name in functions.OF_A_JOB},
        )
        if not await runtime.store.jobs.insert(job):
            _refuse_another(await runtime.store.jobs.by_key(key), job)
        return key

    return await get(runtime, await once(runtime, request, carry_out, about=Job.id_of(key)))


def _refuse_another(stored: Job | None, job: Job) -> None:
    """An insert whose answer was lost, or whose request is repeated, finds its own job there."""
    if stored is None:
        raise InProgress.removing(f"the job {job.key!r}", field="name")
    if stored.seq != job.seq and (not job.request or stored.request != job.request):
        raise AlreadyExists(
            f"there is a job with the key {job.key!r} already; choose another name, or update that job",
            field="name",
        )


async def update(
    runtime: Runtime,
    key: str,
    *,
    principal: Principal = EVERYBODY,
    metadata: Any = None,
    policy: Mapping[str, Any] | None = None,
    **sources: str | None,
) -> Job:
    """Change what a job says of itself, how it is trusted, or its server-side functions; None leaves as is.

    `execute_function` can't change: results of two programs must not vote on one variable. Where jobs are reviewed, one
    whose functions change is reviewed again.
    """
    runtime.part(Space).check_for_work()
    job = await get(runtime, key)
    changes: dict[str, Any] = {"updated_at": runtime.now()}
    if metadata is not None:
        changes["metadata"], named = checked_metadata(metadata)
        changes["owner"], changes["account"] = owner_of_new(
            principal, named, field="metadata.owner", kept=job.account or job.owner
        )
    if policy is not None:
        changes["policy"] = Policy.of(job.policy).overridden(policy).dump()
    for name, source in sources.items():
        if source is not None:
            if source:
                await functions.compiled(runtime, source, name, account=principal.account)
            changes[name] = source
    if job.review == Review.APPROVED and any(
        getattr(job, name) != changes.get(name) for name in sources if name in changes
    ):
        changes["review"] = await review_of_new(runtime, principal, job.account)
    sources_size = json_text.size_of(*(source or "" for source in sources.values()), changes.get("metadata", ""))
    await runtime.part(Quotas).take(changes.get("account", job.account), Usage(sources_size))
    await runtime.store.jobs.set(job.id, changes)
    updated = await get(runtime, key)
    if updated.owner != job.owner:
        await runtime.part(OpenQueues).pass_to(updated)
    return updated


async def archive(runtime: Runtime, key: str) -> Job:
    """Stop handing out a job's work. Its results stay; tasks under way may still be reported. What flows wait for of it
    fails at the next sweep."""
    job = await get(runtime, key)
    await runtime.store.jobs.set(job.id, {"state": JobState.ARCHIVED, "updated_at": runtime.now()})
    return await get(runtime, key)


async def find(runtime: Runtime, key: str) -> Job | None:
    """The job with this key, or None."""
    return await runtime.store.jobs.by_key(key) if JOB_KEY.fullmatch(key) else None


def check_takes_variables(job: Job, principal: Principal) -> None:
    """Raises Unauthenticated and Forbidden for a job that takes variables from its owner only."""
    if Policy.of(job.policy).accepts_variables_from == VariableSource.OWNER:
        check_scope(principal, Scope.SUBMIT)
        check_account(principal, job.account, field="job")


async def get(runtime: Runtime, key: str) -> Job:
    """Raises NotFound."""
    job = await find(runtime, key)
    if job is None:
        raise NotFound(f"there is no job with the key {key[:100]!r}", field="job")
    return job


async def page(
    runtime: Runtime, *, first: int, after: str = "", owner: str = "", backwards: bool = False
) -> Sequence[Job]:
    """Active jobs in the order of their creation."""
    checked_text(owner, field="owner", most=MAX_NAME_CHARACTERS)
    matching = {"owner": owner, "state": str(JobState.ACTIVE)} if owner else {"state": str(JobState.ACTIVE)}
    return await runtime.store.jobs.page(matching, first=first, after=checked_cursor(after), backwards=backwards)


def key_of(name: str) -> str:
    """The slug of a job's name: its key and its place in URLs."""
    key = slugify(checked_text(name, field="name", most=MAX_NAME_CHARACTERS))
    if not key:
        raise BadInput(f"no key can be made of the name {name!r}: it needs letters or digits", field="name")
    if not JOB_KEY.fullmatch(key):
        raise BadInput(f"the key made of the name has {len(key)} characters: choose a shorter name", field="name")
    if key in RESERVED_KEYS:
        raise BadInput(f"the key {key!r} is a route of the API; choose another name", field="name")
    return key


def checked_metadata(value: Any) -> tuple[str, str]:
    """A job's metadata as JSON text, and the owner that it names."""
    text = json_text.checked({} if value is None else value, field="metadata", max_bytes=MAX_METADATA_BYTES)
    metadata = json_text.parse(text)
    if not isinstance(metadata, dict):
        raise BadInput("metadata takes an object", field="metadata")
    for name in ("description", "shortDescription", "short_description"):
        localised = metadata.get(name, {})
        if not isinstance(localised, dict) or not all(isinstance(v, str) for v in localised.values()):
            raise BadInput(
                f'metadata.{name} takes an object of texts by locale, such as {{"en": "..."}}',
                field=f"metadata.{name}",
            )
    owner = metadata.get("owner", "")
    if not isinstance(owner, str):
        raise BadInput("metadata.owner takes a text", field="metadata.owner")
    return text, checked_text(owner, field="metadata.owner", most=MAX_NAME_CHARACTERS)


async def _compile_optional(runtime: Runtime, new: NewJob, account: str) -> None:
    for name in functions.SERVER_SIDE:
        if source := getattr(new, name):
            await functions.compiled(runtime, source, name, account=account)


async def run_ms(runtime: Runtime, key: str) -> float:
    """Observed run time of the job's tasks in ms, 0 while unknown."""
    queue = await runtime.store.queues.get(VariableKind().queue_of(key))
    return 0.0 if queue is None else queue.run_ms

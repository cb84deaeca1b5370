"""What is private, and who may read it.

A job or flow is PUBLIC or PRIVATE. What belongs to a PRIVATE one is read by its account and by operators: to all others
a value is null, a list empty, and what is asked for by name not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

from resolvers.access.principals import Principal, Scope
from resolvers.runtime import Runtime
from storage import Flow, FlowJob, Host, Job, Level, Result, Run, Task, Variable

Readable: TypeAlias = Job | Flow | Host | Variable | Run | Result | Task | Level | FlowJob

READERS = frozenset({Scope.READ, Scope.SUBMIT})
"""An account's token with any of these reads what is the account's own."""


class Visibility(StrEnum):
    """Who may read what is in a job or flow."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


def default_visibility(runtime: Runtime) -> Visibility:
    """Of a job or flow whose owner does not say."""
    return Visibility.PRIVATE if runtime.keeps_private else Visibility.PUBLIC


def visibility_of(owned: Job | Flow) -> Visibility:
    """What was stored before there were private jobs could be read by everybody, and still can."""
    said = owned.policy.get("visibility") if isinstance(owned, Job) else owned.visibility
    return Visibility(said or Visibility.PUBLIC)


def may_read_owned(principal: Principal, owned: Job | Flow | Host) -> bool:
    """Whether the principal may read what is in a job or flow, or what of a host only its account may know."""
    if principal.is_operator or (not isinstance(owned, Host) and visibility_of(owned) is Visibility.PUBLIC):
        return True
    return bool(principal.account) and principal.account == owned.account and bool(READERS & principal.scopes)


async def may_read(runtime: Runtime, principal: Principal, document: Readable) -> bool:
    """Whether the principal may read a document: may read all jobs and flows that it belongs to. Jobs are cached; a
    flow costs an operation."""
    return bool(await readable(runtime, principal, [document]))


async def readable(runtime: Runtime, principal: Principal, documents: Sequence[Readable]) -> set[str]:
    """The ids of those documents that the principal may read; their flows cost one operation."""
    if principal.is_operator:
        return {each.id for each in documents}
    belongs = {each.id: _owners_of(each) for each in documents}
    flow_ids = [flow for _, flow in belongs.values() if flow]
    known: dict[str, Job | Flow | Host] = {each.id: each for each in documents if isinstance(each, Job | Flow | Host)}
    known |= await runtime.store.flows.get_many(each for each in flow_ids if each not in known)
    for job_id in {job for job, _ in belongs.values() if job} - known.keys():
        if (job := await runtime.store.jobs.get(job_id)) is not None:
            known[job_id] = job

    def sees(owned_id: str) -> bool:
        return not owned_id or (owned_id in known and may_read_owned(principal, known[owned_id]))

    return {document_id for document_id, (job, flow) in belongs.items() if sees(job) and sees(flow)}


def _owners_of(document: Readable) -> tuple[str, str]:
    """The ids of the job (or host) and the flow that a document belongs to; empty where there is none."""
    match document:
        case Job() | Host():
            return document.id, ""
        case Flow():
            return "", document.id
        case Level() | FlowJob():
            return "", document.flow
        case Variable() | Run():
            return Job.id_of(document.job), _flow_of(document.id)
        case Result() | Task():
            return Job.id_of(document.job), _flow_of(document.unit)


def _flow_of(unit_id: str) -> str:
    """The id of the flow that a unit is a run of; empty for a variable's."""
    kind, _, rest = unit_id.partition(":")
    return Flow.id_of(rest.partition(":")[0]) if kind == "run" else ""

"""The rules: what a principal may do. Each field of the API's roots names one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from resolvers.access.principals import Principal, Scope
from resolvers.errors import Forbidden, Unauthenticated
from resolvers.identifiers import FLOW_KEY, JOB_KEY
from resolvers.runtime import Runtime
from storage import Flow


class Allowed(StrEnum):
    """Who may do something."""

    ANYONE = "anyone"
    READER = "reader"
    SUBMITTER = "submitter"
    JOB_OWNER = "job_owner"
    FLOW_OWNER = "flow_owner"
    ACCOUNT_HOLDER = "account_holder"
    OPERATOR = "operator"


SCOPES = {
    Allowed.READER: Scope.READ,
    Allowed.SUBMITTER: Scope.SUBMIT,
    Allowed.JOB_OWNER: Scope.SUBMIT,
    Allowed.FLOW_OWNER: Scope.SUBMIT,
    Allowed.ACCOUNT_HOLDER: Scope.SUBMIT,
    Allowed.OPERATOR: Scope.OPERATE,
}
"""The scope that a token must have."""
FIELDS = {Allowed.JOB_OWNER: "job", Allowed.FLOW_OWNER: "flow", Allowed.ACCOUNT_HOLDER: "account"}
"""What the input calls the thing that must be the principal's."""


async def check(runtime: Runtime, principal: Principal, allowed: Allowed, key: str = "") -> None:
    """Return if the principal is allowed to do what only `allowed` may, to the job, flow or account with this
    key.

    What isn't there is nobody's: whoever does it says so. Raises Unauthenticated and Forbidden.
    """
    if principal.is_operator or allowed is Allowed.ANYONE:
        return
    check_scope(principal, SCOPES[allowed])
    if allowed in _ACCOUNTS:
        owner = await _ACCOUNTS[allowed](runtime, key)
        if owner is not None:
            check_account(principal, owner, field=FIELDS[allowed])


def check_scope(principal: Principal, scope: Scope) -> None:
    """Raises Unauthenticated and Forbidden where the principal has not this scope."""
    if principal.has(scope):
        return
    if not principal.account:
        raise Unauthenticated(f"this takes a token with the scope {scope.upper()}: send `Authorization: Bearer cp_...`")
    raise Forbidden(f"this takes the scope {scope.upper()}, which this token has not")


def check_account(principal: Principal, account: str, *, field: str) -> None:
    """Raises Unauthenticated and Forbidden for a thing of another account."""
    if principal.is_operator or (principal.account and principal.account == account):
        return
    if not principal.account:
        raise Unauthenticated(f"this {field} takes its owner's token", field=field)
    raise Forbidden(f"this {field} is not of the account {principal.account!r}", field=field)


def owner_of_new(principal: Principal, named: str, *, field: str, kept: str = "") -> tuple[str, str]:
    """The owner and the account of what the principal submits, where the input names this owner (empty: none) and
    `kept` was the owner before. In a pool without tokens there is a name only, and no account.

    Raises Forbidden for one that names somebody else.
    """
    if not principal.account:
        return named, ""
    if principal.is_operator:
        owner = named or kept or principal.account
        return owner, owner
    if named not in ("", principal.account):
        raise Forbidden(f"the owner is the account {principal.account!r}, and can't be {named!r}", field=field)
    return principal.account, principal.account


def sandbox_caller(account: str, key: str) -> str:
    """By whom turns and circuit breakers of the sandbox are counted: a job or flow (its key) of an account. What its
    owner's name says counts for nothing, since anybody may write it where there are no tokens."""
    return f"{account}/{key}"


async def _account_of_job(runtime: Runtime, key: str) -> str | None:
    job = await runtime.store.jobs.by_key(key) if JOB_KEY.fullmatch(key) else None
    return None if job is None else job.account


async def _account_of_flow(runtime: Runtime, key: str) -> str | None:
    flow = await runtime.store.flows.get(Flow.id_of(key)) if FLOW_KEY.fullmatch(key) else None
    return None if flow is None else flow.account


async def _account_itself(runtime: Runtime, key: str) -> str | None:
    return key


_ACCOUNTS: dict[Allowed, Callable[[Runtime, str], Awaitable[str | None]]] = {
    Allowed.JOB_OWNER: _account_of_job,
    Allowed.FLOW_OWNER: _account_of_flow,
    Allowed.ACCOUNT_HOLDER: _account_itself,
}

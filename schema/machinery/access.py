"""Who may use a field: said by `@access` in the schema, and checked before the field is resolved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from enum import Enum
from inspect import isawaitable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from resolvers.access.rules import Allowed, check
from schema.machinery.auditing import record_mutation
from schema.machinery.context import Context
from schema.machinery.streams import while_known

WHO = {
    Allowed.ANYONE: "Whoever can reach the pool, without a token.",
    Allowed.READER: "A token with the scope READ.",
    Allowed.SUBMITTER: "A token with the scope SUBMIT.",
    Allowed.JOB_OWNER: "A token with the scope SUBMIT, of the account that owns the job.",
    Allowed.FLOW_OWNER: "A token with the scope SUBMIT, of the account that owns the flow.",
    Allowed.ACCOUNT_HOLDER: "A token with the scope SUBMIT, of the account itself.",
    Allowed.OPERATOR: "A token with the scope OPERATE.",
}


def _member(allowed: Allowed) -> Any:
    return strawberry.enum_value(allowed, description=WHO[allowed])


@strawberry.enum(description="Who may use a field of a pool that wants tokens; an operator may use all of them.")
class AllowedTo(Enum):
    ANYONE = _member(Allowed.ANYONE)
    READER = _member(Allowed.READER)
    SUBMITTER = _member(Allowed.SUBMITTER)
    JOB_OWNER = _member(Allowed.JOB_OWNER)
    FLOW_OWNER = _member(Allowed.FLOW_OWNER)
    ACCOUNT_HOLDER = _member(Allowed.ACCOUNT_HOLDER)
    OPERATOR = _member(Allowed.OPERATOR)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="access",
    description="Who may use this field, where the pool wants tokens.",
)
class Access:
    to: AllowedTo


class Only(FieldExtension):
    """Lets only those use a field whom the rule allows to, and says so in the schema. What an account changes by it is
    noted in the audit log.

    The rules of owners read the job, flow or account from the field's `input`.
    """

    def __init__(self, allowed: Allowed, *, is_audited: bool | None = None) -> None:
        """
        Args:
            is_audited: whether a mutation of an account's is noted; if it is missing: unless anyone may use it.
        """
        self._allowed = allowed
        self.is_audited = allowed is not Allowed.ANYONE if is_audited is None else is_audited

    def apply(self, field: StrawberryField) -> None:
        if not any(isinstance(each, Access) for each in field.directives):
            field.directives = [*field.directives, Access(to=AllowedTo(self._allowed))]

    # Not a coroutine function: what anyone may do without a token must cost a read next to nothing.
    def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        context: Context = info.context
        if self._allowed is Allowed.ANYONE and not context.has_token:
            return next_(source, info, **kwargs)
        return self._checked(next_, source, info, kwargs)

    async def _checked(self, next_: Callable[..., Any], source: Any, info: Info, arguments: dict[str, Any]) -> Any:
        context: Context = info.context
        principal = await context.counted_principal()
        await check(context.runtime, principal, self._allowed, _key(self._allowed, arguments))
        found = next_(source, info, **arguments)
        if isinstance(found, AsyncIterator):
            return while_known(found, context) if principal.token else found
        answer = await found if isawaitable(found) else found
        if self.is_audited:
            await record_mutation(info, principal, arguments, answer)
        return answer


def _key(allowed: Allowed, arguments: dict[str, Any]) -> str:
    """The key of the job, flow or account that a mutation is about."""
    if allowed is Allowed.JOB_OWNER:
        return str(arguments["input"].job)
    if allowed is Allowed.ACCOUNT_HOLDER:
        return str(arguments["input"].account)
    return str(arguments["input"].key) if allowed is Allowed.FLOW_OWNER else ""

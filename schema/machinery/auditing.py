"""What the audit log says of a mutation that was carried out."""

from __future__ import annotations

from typing import Any

from strawberry.types import Info

from resolvers.access.audit import record
from resolvers.access.principals import Principal
from schema.machinery.context import Context
from schema.machinery.payloads import Payload

MADE = ("job", "flow", "account", "token", "host")
"""Members of payloads that have a key."""
NAMED = ("job", "flow", "account", "host", "address_group")
"""Members of inputs that name something. Others may be secrets."""


async def record_mutation(info: Info, principal: Principal, arguments: dict[str, Any], payload: Any) -> None:
    """Note a mutation of an account's. In a pool without tokens nobody is known, and nothing is noted."""
    if principal.account and isinstance(payload, Payload):
        context: Context = info.context
        await record(context.runtime, principal, info.field_name, subject_of(arguments.get("input"), payload))


def subject_of(given: Any, payload: Any) -> str:
    """The kind and the key of what a mutation is about: what its payload holds, else what its input names."""
    for kind in MADE:
        if key := getattr(getattr(payload, kind, None), "key", ""):
            return f"{kind} {key}"
    return next((f"{kind.replace('_', ' ')} {named}" for kind in NAMED if (named := getattr(given, kind, ""))), "")

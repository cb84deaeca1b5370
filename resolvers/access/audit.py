"""The audit log: what owners and operators have changed."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.access.principals import Principal
from resolvers.identifiers import checked_cursor
from resolvers.runtime import Runtime, new_seq
from storage import AuditEntry

MOST_SUBJECT_CHARACTERS = 400
COMMAND_LINE = Principal()
"""Who writes to the store itself."""


async def record(runtime: Runtime, principal: Principal, action: str, subject: str) -> None:
    """Note that the principal has done something.

    Args:
        action: a mutation's name, or what else it is called.
        subject: the kind and the key of what it was done to, such as `job primes`; never a secret.
    """
    seq = new_seq()
    await runtime.store.audit.insert(
        AuditEntry(
            id=AuditEntry.id_of(seq),
            seq=seq,
            at=runtime.now(),
            account=principal.account,
            token=principal.token,
            action=action,
            subject=subject[:MOST_SUBJECT_CHARACTERS],
        )
    )


async def page(runtime: Runtime, *, first: int, after: str = "") -> Sequence[AuditEntry]:
    """What was done, the latest first."""
    return await runtime.store.audit.page({}, first=first, after=checked_cursor(after), newest_first=True)

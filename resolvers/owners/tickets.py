"""Tickets: what a client reads a private job's variable by that was handed out to it.

A key with a ticket is `KEY~SIGNATURE`. It makes the variable's URL a capability (https://www.w3.org/TR/capability-urls/):
whoever has it reads that input, and nothing else, and it can't be guessed, whatever key the owner gave. Clients of the
original pool follow the URLs that they are given, and so need to know nothing of this.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence

from resolvers.access.principals import Principal
from resolvers.access.visibility import may_read
from resolvers.runtime import Runtime
from storage import Variable

SIGNATURE_CHARACTERS = 32
WITH_TICKET = re.compile(rf"(.+)~([0-9a-f]{{{SIGNATURE_CHARACTERS}}})")


async def keys_for(runtime: Runtime, principal: Principal, handed_out: Sequence[Variable]) -> Callable[[Variable], str]:
    """What names the variables of one job that the principal is handed out: by keys with tickets, unless it may read
    them anyway."""
    if not handed_out or await may_read(runtime, principal, handed_out[0]):
        return lambda variable: variable.key
    return lambda variable: f"{variable.key}~{_sign(runtime, variable.job, variable.key)}"


def key_in(runtime: Runtime, job_key: str, key: str) -> str:
    """The variable's own key in a key with a valid ticket; empty for any other."""
    found = WITH_TICKET.fullmatch(key)
    return found[1] if found and hmac.compare_digest(found[2], _sign(runtime, job_key, found[1])) else ""


def _sign(runtime: Runtime, job_key: str, key: str) -> str:
    return runtime.signature(f"variable {job_key} {key}", SIGNATURE_CHARACTERS)

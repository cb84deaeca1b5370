"""What the code of each account uses of this process's sandbox in a minute."""

from __future__ import annotations

from cachetools import LRUCache

from resolvers.runtime import Runtime
from sandbox import Minute

MOST_ACCOUNTS = 10_000
"""Whose code has not run for the longest time is forgotten first."""


class SandboxMinutes:
    """The minutes of the accounts that a process knows of; what belongs to no account is not counted."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: LRUCache[str, Minute] = LRUCache(MOST_ACCOUNTS)

    def of(self, account: str) -> Minute:
        """The minute of the account with this key, with the limit that is in force."""
        if not account:
            return Minute()
        minute = self._known.setdefault(account, Minute(clock=self._runtime.seconds))
        minute.limit_s = self._runtime.limits.account_sandbox_seconds
        return minute

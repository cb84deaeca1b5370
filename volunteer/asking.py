"""Asking a pool that may be away: what is worth another try, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from comp_pool import Backoff, ErrorCode, NotAPool, PoolError, PoolRefused, PoolUnavailable
from comp_pool.errors import UNNAMED
from volunteer.events import Event, Waiting, Warned

_Answer = TypeVar("_Answer")


class Asking:
    """The manners of one volunteer towards its pool.

    Whatever answers instead of a pool that was there before, such as a proxy's login page, is waited for like a pool
    that is away. Until the pool has answered once, it is more likely that the address is wrong.
    """

    def __init__(self, tell: Callable[[Event], None], *, longest_wait_s: float) -> None:
        self._tell = tell
        self._longest_wait_s = longest_wait_s
        self._has_answered = False
        self._has_warned = False

    def backoff(self) -> Backoff:
        """A back-off for one kind of call."""
        return Backoff(longest_s=self._longest_wait_s)

    async def until_answered(self, call: Callable[[], Awaitable[_Answer]], backoff: Backoff) -> _Answer:
        """What the pool answers, asked again for as long as that may get better. Raises PoolError if it can't."""
        while True:
            try:
                answer = await call()
            except PoolError as problem:
                if not self._may_get_better(problem):
                    raise
                await self.wait(problem, backoff)
            else:
                self.note_answer(backoff)
                return answer

    def note_answer(self, backoff: Backoff) -> None:
        """A call went well."""
        self._has_answered = True
        self._has_warned = False
        backoff.reset()

    async def wait(self, problem: PoolError, backoff: Backoff) -> None:
        """Until the call that failed is worth another try. What an operator may have to put right is told once."""
        if not self._has_warned and not isinstance(problem, PoolUnavailable):
            self._tell(Warned(f"{problem}; nothing is lost, the pool is asked again"))
            self._has_warned = True
        await self.pause(str(problem), backoff.after_failure(problem.retry_after_s))

    async def pause(self, why: str, seconds: float) -> None:
        self._tell(Waiting(why, seconds))
        await asyncio.sleep(seconds)

    def _may_get_better(self, problem: PoolError) -> bool:
        match problem:
            case PoolUnavailable():
                return True
            case NotAPool():
                return self._has_answered
            case PoolRefused(refusal=refusal):
                return refusal.code == ErrorCode.FORBIDDEN or (refusal.code == UNNAMED and self._has_answered)
        return False

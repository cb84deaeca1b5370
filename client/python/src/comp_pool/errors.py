"""What can go wrong with a call of a pool's API.

PoolError
├── PoolUnavailable     the same call may work later
│   └── PoolFailed      the pool has a fault, and may have carried the call out
├── PoolRefused         the pool turned the call down, and will again
└── NotAPool            something else answers at the pool's address
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comp_pool.schema import TEMPORARY, ErrorCode

UNNAMED = ""
"""The code of a refusal that names none: GraphQL's own, of a call that the schema does not allow, or HTTP's."""


class PoolError(Exception):
    """A call of a pool's API failed.

    Attributes:
        retry_after_s: the seconds to wait before the next call, if the answer says so; otherwise 0.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PoolUnavailable(PoolError):
    """The pool can't be reached or can't answer now; the same call may work later."""


class PoolFailed(PoolUnavailable):
    """The pool has a fault, and may have carried the call out. Only callers with no other choice try again."""


class NotAPool(PoolError):
    """What answers at the address is no comp-pool, or a pool with another schema. Where a pool answered before, it is
    most likely a proxy in between, such as the login page of a network."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the pool found wrong with an input.

    Attributes:
        code: an `ErrorCode`, a code of a newer pool, or `UNNAMED`.
        message: what was expected, what came, and what to do.
        field: the path of the input at fault, such as `variables[3].value`; empty if there is none.
        retry_after_s: the seconds to wait before the next call, if the pool says so; otherwise 0.
    """

    code: str
    message: str
    field: str = ""
    retry_after_s: float = 0.0

    @classmethod
    def of(cls, error: dict[str, Any]) -> Refusal:
        """The refusal in a payload's `userErrors`."""
        return cls(
            error["code"], error["message"], error.get("field") or "", seconds_of(error.get("retryAfterSeconds"))
        )

    @property
    def is_temporary(self) -> bool:
        """Whether the same call may work later."""
        return self.code in TEMPORARY

    @property
    def is_of_the_token(self) -> bool:
        """Whether the account's token, and no host's, is what the pool does not take."""
        return self.code == ErrorCode.UNAUTHENTICATED and self.field != "host"

    def __str__(self) -> str:
        return self.message if self.message.startswith(self.field) else f"{self.field}: {self.message}"


class PoolRefused(PoolError):
    """The pool turned the call down; the same call will be turned down again.

    Attributes:
        refusal: what is wrong with it.
        others: what else is wrong with it.
    """

    def __init__(self, refusal: Refusal, others: Sequence[Refusal] = ()) -> None:
        super().__init__(str(refusal), retry_after_s=refusal.retry_after_s)
        self.refusal = refusal
        self.others = others


def seconds_of(value: Any) -> float:
    """What an answer has as `retryAfterSeconds`; 0 for anything but a number."""
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0


def error_of(refusals: Sequence[Refusal], *, url: str, retry_after_s: float = 0.0) -> PoolUnavailable | PoolRefused:
    """The exception for a call that the pool at `url` refused as a whole; the first refusal decides on its kind."""
    first, *others = refusals
    retry_after_s = max(retry_after_s, first.retry_after_s)
    if first.code == ErrorCode.INTERNAL:
        return PoolFailed(f"{url} says: {first.message}", retry_after_s=retry_after_s)
    if first.is_temporary:
        return PoolUnavailable(f"{url} says: {first.message}", retry_after_s=retry_after_s)
    return PoolRefused(first, others)

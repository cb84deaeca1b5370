"""A pool's GraphQL API, called over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from httpx_sse import SSEError, aconnect_sse

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# Shorter than the server's: it must not be the one that closes a connection first.
LIMITS = httpx.Limits(keepalive_expiry=20.0)
TEMPORARY = frozenset({"UNAVAILABLE", "RATE_LIMITED", "IN_PROGRESS"})
INTERNAL = "INTERNAL"
MOST_CHARACTERS = 450


class PoolUnavailable(Exception):
    """The pool can't be reached or can't answer now; the same call may work later.

    Attributes:
        retry_after_s: when, in seconds, if the pool said so; else 0.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PoolFailed(PoolUnavailable):
    """The pool has a fault, and may have carried the call out. Trying again is for who can't do anything else."""


class NotAPool(Exception):
    """What answers at the address is no comp-pool, or one whose schema is another."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the pool found wrong with an input. `field` is its path, or empty."""

    code: str
    message: str
    field: str = ""

    @classmethod
    def of(cls, error: dict[str, Any]) -> Refusal:
        """The refusal in a payload's `userErrors`."""
        return cls(error["code"], error["message"], error["field"] or "")

    def __str__(self) -> str:
        return self.message if self.message.startswith(self.field) else f"{self.field}: {self.message}"


class PoolRefused(Exception):
    """The pool turned the call down; the same call will be turned down again.

    Attributes:
        refusal: what is wrong with it.
        others: what else is.
    """

    def __init__(self, refusal: Refusal, others: Sequence[Refusal] = ()) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.others = others


class PoolClient:
    """One pool, by its root URL. Use it as an async context manager."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`url` may leave `http://` out. `transport` takes the place of the network, for a pool in this process."""
        full = url if "://" in url else f"http://{url}"
        self.url = full.rstrip("/").removesuffix("/graphql")
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT, limits=LIMITS, transport=transport, headers={"content-type": "application/json"}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def call(self, document: str, **variables: Any) -> dict[str, Any]:
        """The `data` of a query or mutation.

        Raises PoolUnavailable, PoolRefused (an error of the call as a whole) and NotAPool.
        """
        try:
            response = await self._http.post(
                f"{self.url}/graphql", content=orjson.dumps({"query": document, "variables": variables})
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
            raise NotAPool(f"{self.url} is no address of a pool: {problem}") from problem
        except httpx.TransportError as problem:
            reason = str(problem) or type(problem).__name__
            raise PoolUnavailable(f"{self.url} can't be reached: {reason}") from problem
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise PoolUnavailable(
                f"{self.url} answered {response.status_code}", retry_after_s=_seconds(response.headers)
            )
        return self._data(response)

    async def subscribe(self, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """What a subscription delivers, until the pool ends it (GraphQL over SSE, distinct connections mode:
        https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).

        Raises what `call` raises; PoolUnavailable where the connection is lost.
        """
        body = orjson.dumps({"query": document, "variables": variables})
        try:
            async with aconnect_sse(self._http, "POST", f"{self.url}/graphql", content=body) as source:
                if source.response.status_code != httpx.codes.OK:
                    await source.response.aread()
                    raise PoolUnavailable(f"{self.url} answered {source.response.status_code}")
                async for event in source.aiter_sse():
                    if event.event == "complete":
                        return
                    if event.event == "next":
                        yield self._read(orjson.loads(event.data))
        except (httpx.TransportError, SSEError) as problem:
            raise PoolUnavailable(f"the connection to {self.url} was lost: {problem}") from problem

    async def mutate(self, document: str, **input_: Any) -> dict[str, Any]:
        """The payload of a document with one mutation over `$input`; its `userErrors` are empty.

        Raises what `call` raises, for the payload's `userErrors` too.
        """
        payload = await self.mutate_in_part(document, **input_)
        if refusals := [Refusal.of(error) for error in payload["userErrors"]]:
            raise self._exception(*refusals)
        return payload

    async def mutate_in_part(self, document: str, **input_: Any) -> dict[str, Any]:
        """The payload of a mutation that may carry out a part of its input and say in `userErrors` what not.

        Raises what `call` raises.
        """
        payload: dict[str, Any]
        (payload,) = (await self.call(document, input=input_)).values()
        return payload

    def _data(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = orjson.loads(response.content)
        except ValueError as problem:
            raise NotAPool(f"no comp-pool answers at {self.url}: status {response.status_code}") from problem
        return self._read(answer)

    def _read(self, answer: Any) -> dict[str, Any]:
        errors, data = (answer.get("errors"), answer.get("data")) if isinstance(answer, dict) else (None, None)
        if errors:
            wait_s = float((errors[0].get("extensions") or {}).get("retryAfterSeconds", 0))
            raise self._exception(*map(_refusal, errors), retry_after_s=wait_s)
        if not isinstance(data, dict):
            raise NotAPool(f"no comp-pool answers at {self.url}")
        return data

    def _exception(
        self, refusal: Refusal, *others: Refusal, retry_after_s: float = 0.0
    ) -> PoolUnavailable | PoolRefused:
        if refusal.code == INTERNAL:
            return PoolFailed(f"{self.url} says: {refusal.message}")
        if refusal.code in TEMPORARY:
            return PoolUnavailable(f"{self.url} says: {refusal.message}", retry_after_s=retry_after_s)
        return PoolRefused(refusal, others)


def _seconds(headers: httpx.Headers) -> float:
    """`Retry-After` (RFC 9110, 10.2.3) where it is a number of seconds."""
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0


def _refusal(error: dict[str, Any]) -> Refusal:
    """An error of the call as a whole."""
    about = error.get("extensions") or {}
    return Refusal(about.get("code", "BAD_INPUT"), _shortened(error["message"]), about.get("field", ""))


def _shortened(message: str) -> str:
    """GraphQL's own messages quote the whole input, and say what is wrong with it before and after."""
    return message if len(message) <= MOST_CHARACTERS else f"{message[:150]} ... {message[-250:]}"

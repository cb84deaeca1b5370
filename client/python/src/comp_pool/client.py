"""A pool's GraphQL API, called over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from httpx_sse import SSEError, aconnect_sse

from comp_pool.answers import data_of, read
from comp_pool.errors import NotAPool, PoolUnavailable, Refusal, error_of

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0
# Shorter than the server's: it must not be the one that closes a connection first.
LIMITS = httpx.Limits(keepalive_expiry=20.0)


class PoolClient:
    """One pool, by its root URL. Use it as an async context manager."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_s: float = TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            url: the pool's address, such as `http://127.0.0.1:7070`; `http://` may be left out.
            token: an account's token, for what a pool that wants tokens takes one for (submitting jobs and flows).
            timeout_s: the seconds to wait for a connection to take or bring anything.
            transport: takes the place of the network, for a pool in this process.
        """
        full = url if "://" in url else f"http://{url}"
        self.url = full.rstrip("/").removesuffix("/graphql")
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            limits=LIMITS,
            transport=transport,
            headers={"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {}),
        )

    @property
    def has_token(self) -> bool:
        """Whether calls show a token."""
        return "authorization" in self._http.headers

    def forget_token(self) -> None:
        """Show no token from now on."""
        self._http.headers.pop("authorization", None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def call(self, document: str, **variables: Any) -> dict[str, Any]:
        """Carry out a query or a mutation.

        Args:
            document: the GraphQL text.
            variables: its variables, by name.

        Returns:
            The answer's `data`.

        Raises:
            PoolUnavailable: the pool can't be reached or can't answer now.
            PoolRefused: the pool refuses the call as a whole.
            NotAPool: something else answers at the address.
        """
        try:
            response = await self._http.post(
                f"{self.url}/graphql", content=orjson.dumps({"query": document, "variables": variables})
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
            raise NotAPool(f"{self.url} is no address of a pool: {problem}") from problem
        except httpx.RequestError as problem:
            reason = str(problem) or type(problem).__name__
            raise PoolUnavailable(f"{self.url} can't be reached: {reason}") from problem
        return data_of(response, url=self.url)

    async def subscribe(self, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield the `data` of each event of a subscription, until the pool ends it (GraphQL over SSE, distinct
        connections mode: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).

        Raises:
            PoolUnavailable: the connection is lost, or the pool can't answer now.
            PoolRefused: the pool refuses the subscription.
            NotAPool: what comes is no GraphQL.
        """
        body = orjson.dumps({"query": document, "variables": variables})
        try:
            async with aconnect_sse(self._http, "POST", f"{self.url}/graphql", content=body) as source:
                if source.response.status_code != httpx.codes.OK:
                    await source.response.aread()
                    with suppress(NotAPool):
                        data_of(source.response, url=self.url)
                    raise PoolUnavailable(f"{self.url} answered {source.response.status_code}")
                async for event in source.aiter_sse():
                    if event.event == "complete":
                        return
                    if event.event == "next":
                        yield read(orjson.loads(event.data), url=self.url)
        except (httpx.RequestError, SSEError, orjson.JSONDecodeError) as problem:
            raise PoolUnavailable(f"the connection to {self.url} was lost: {problem}") from problem

    async def mutate(self, document: str, **input_: Any) -> dict[str, Any]:
        """Carry out a document with one mutation over `$input`.

        Args:
            document: the GraphQL text.
            input_: the fields of the input, by name.

        Returns:
            The mutation's payload; its `userErrors` are empty.

        Raises:
            PoolError: what `call` raises, for the payload's `userErrors` too.
        """
        payload = await self.mutate_in_part(document, **input_)
        if refusals := [Refusal.of(error) for error in payload["userErrors"]]:
            raise error_of(refusals, url=self.url)
        return payload

    async def mutate_in_part(self, document: str, **input_: Any) -> dict[str, Any]:
        """Carry out a mutation that may do a part of what its input says.

        Returns:
            The mutation's payload; its `userErrors` say what was not done.

        Raises:
            PoolError: what `call` raises.
        """
        values = list((await self.call(document, input=input_)).values())
        if len(values) != 1 or not isinstance(values[0], dict) or not _are_errors(values[0].get("userErrors")):
            raise NotAPool(f"no comp-pool answers at {self.url}: its answer is no payload of a mutation")
        payload: dict[str, Any] = values[0]
        return payload


def _are_errors(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.keys() >= {"code", "message"} for each in value
    )

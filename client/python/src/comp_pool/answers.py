"""What an HTTP answer means: the `data` of a GraphQL call, or one of the errors.

A pool answers calls as GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) has it. A proxy between
the client and the pool may answer instead of it, with anything. `tests/pool_answers.json` holds what both clients, this
one and `client/src`, make of each answer.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from comp_pool.errors import UNNAMED, NotAPool, PoolUnavailable, Refusal, error_of, seconds_of

REFUSED = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE})
"""Statuses that say something about the call, whoever answers."""
LATER = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS})
MOST_CHARACTERS = 450


def data_of(response: httpx.Response, *, url: str) -> dict[str, Any]:
    """The `data` of a call's answer, which was read to its end.

    Args:
        response: the answer.
        url: the pool's address, for messages.

    Raises:
        PoolUnavailable: its status, or the code of its first error, says that the same call may work later.
        PoolRefused: the pool refuses the call as a whole; without a code if only the status (400, 413) says so.
        NotAPool: it is no GraphQL answer at all.
    """
    status = response.status_code
    wait_s = _retry_after_s(response.headers)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in LATER:
        raise PoolUnavailable(f"{url} answered {status}", retry_after_s=wait_s)
    try:
        answer = orjson.loads(response.content)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and isinstance(answer.get("errors"), list) and answer["errors"]:
        return read(answer, url=url, wait_s=wait_s)
    if status in REFUSED:
        raise error_of([Refusal(UNNAMED, f"{url} answered {status}: {_shortened(response.text)}")], url=url)
    if not response.is_success:
        where = f" and points to {response.headers['location']}" if "location" in response.headers else ""
        raise NotAPool(f"no comp-pool answers at {url}: status {status}{where}", retry_after_s=wait_s)
    return read(answer, url=url)


def read(answer: Any, *, url: str, wait_s: float = 0.0) -> dict[str, Any]:
    """The `data` of a GraphQL answer. Raises what `data_of` raises.

    Args:
        answer: the decoded JSON.
        url: the pool's address, for messages.
        wait_s: the seconds to wait before the next call, as far as the answer's headers say.
    """
    errors, data = (answer.get("errors"), answer.get("data")) if isinstance(answer, dict) else (None, None)
    if errors and isinstance(errors, list):
        raise error_of([_refusal(each) for each in errors], url=url, retry_after_s=wait_s)
    if not isinstance(data, dict):
        raise NotAPool(f"no comp-pool answers at {url}")
    return data


def _retry_after_s(headers: httpx.Headers) -> float:
    """`Retry-After` (RFC 9110, 10.2.3) in seconds: a number, or a date, which counts from the answer's own."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except ValueError:
        return 0.0
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(0.0, until - now)


def _refusal(error: Any) -> Refusal:
    """An error of the call as a whole."""
    about = _extensions(error)
    message = error.get("message") if isinstance(error, dict) else error
    return Refusal(
        str(about.get("code") or UNNAMED),
        _shortened(str(message)),
        str(about.get("field") or ""),
        seconds_of(about.get("retryAfterSeconds")),
    )


def _extensions(error: Any) -> dict[str, Any]:
    about = error.get("extensions") if isinstance(error, dict) else None
    return about if isinstance(about, dict) else {}


def _shortened(message: str) -> str:
    """GraphQL's own messages quote the whole input, and say what is wrong with it before and after."""
    return message if len(message) <= MOST_CHARACTERS else f"{message[:150]} ... {message[-250:]}"

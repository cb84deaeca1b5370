"""Errors as problem documents (RFC 9457), with `code` and `message` beside the standard members."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from graphql import GraphQLError

from rest_compat.declarations import snake_case
from rest_compat.errors import BadRequest
from rest_compat.operations import Refused
from schema.machinery.errors import PoolError, code_of, explained

MEDIA_TYPE = "application/problem+json"

STATUS = {
    "BAD_INPUT": 422,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "CONFLICT": 409,
    "IN_PROGRESS": 409,
    "LEASE_LOST": 409,
    "TOO_LARGE": 413,
    "UNPARSABLE_JAVASCRIPT": 422,
    "REJECTED": 422,
    "IDEMPOTENCY_MISMATCH": 422,
    "RATE_LIMITED": 429,
    "QUOTA": 403,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
"""The HTTP status of each of the schema's error codes. A request that can't be read is a BadRequest, and 400."""

_RETRY_SECONDS = 1
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What went wrong, as the client is answered: `at` is where in its request. `headers` go with it."""

    status: int
    code: str
    message: str
    at: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """
        Args:
            instance: the URL of the request.
        """
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.message,
            "instance": instance,
            "code": self.code,
            "message": self.message,
        }
        if self.at:
            document["field"] = self.at
        if self.errors:
            document["errors"] = self.errors
        return document


def problem_of(error: BaseException) -> Problem:
    """The problem that an error of an operation is to its client. What nobody foresaw is logged, and says
    nothing."""
    if isinstance(error, GraphQLError) and isinstance(error.original_error, PoolError):
        error = error.original_error
    if isinstance(error, BadRequest):
        all_ = [error, *error.others] if error.others else []
        shown = [{"field": each.field, "message": each.message, "code": each.code} for each in all_]
        return Problem(error.status, error.code, error.message, error.field, shown, error.headers)
    if isinstance(error, Refused):
        first = error.errors[0]
        shown = [{"field": snake_case(e.field), "message": e.message, "code": e.code} for e in error.errors]
        # What a body names and is not there makes the body wrong: there is something at the address.
        status = 422 if error.by_body and first.code == "NOT_FOUND" else _status(first.code)
        headers = _headers(status, first.retry_after_s)
        return Problem(status, first.code, first.message, snake_case(first.field), shown, headers)
    if isinstance(error, PoolError):
        return _of_code(error.code.value, error.message, snake_case(error.field), error.retry_after_s)
    if isinstance(error, GraphQLError) and (code := (error.extensions or {}).get("code")) in STATUS:
        return _of_code(str(code), error.message)
    code = code_of(error)
    log.error("An operation of the REST facade failed (%s)", code.value, exc_info=error)
    return _of_code(code.value, explained(error))


def _status(code: str) -> int:
    return STATUS.get(code, 400)


def _of_code(code: str, message: str, at: str = "", retry_after_s: int = 0) -> Problem:
    status = _status(code)
    return Problem(status, code, message, at, headers=_headers(status, retry_after_s))


def _headers(status: int, retry_after_s: int = 0) -> dict[str, str]:
    """What a client is told besides: when to come again (RFC 9110, section 10.2.3), or what to show (RFC 6750)."""
    if retry_after_s or status in (429, 503):
        return {"retry-after": str(retry_after_s or _RETRY_SECONDS)}
    return {"www-authenticate": "Bearer"} if status == 401 else {}

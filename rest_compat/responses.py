"""HTTP responses of the facade."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from rest_compat import cors
from rest_compat.exchange import Answer
from rest_compat.openapi import PATH, answer_name
from rest_compat.operations import NO_CONTENT, Operation, ReadOperation
from rest_compat.problems import MEDIA_TYPE, Problem
from rest_compat.requests import HttpRequest

_SCRIPT_POLICY = "default-src 'none'; script-src 'unsafe-eval'; connect-src 'none'; worker-src 'none'"
"""For other representations than HAL: a script that is run may compute, and reach nothing."""


PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
"""For what a browser shows: there is nothing to load, and nobody may frame it."""


@dataclass(frozen=True)
class Response:
    """What is sent. Header names are lower case."""

    status: int
    media_type: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def options(allow: str) -> Response:
    """The answer to `OPTIONS`, whoever asks."""
    return Response(200, headers=cors.preflight(allow))


def problem(found: Problem, request: HttpRequest) -> Response:
    return Response(found.status, MEDIA_TYPE, orjson.dumps(found.document(request.path)), found.headers)


def cacheable(request: HttpRequest, media_type: str, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A representation with its `ETag`, or 304 to who has it."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    sent = {**(headers or {}), "etag": etag, "cache-control": "no-cache"}
    if request.knows(etag):
        return Response(304, headers=sent)
    return Response(200, media_type, body, sent)


def of_answer(request: HttpRequest, operation: Operation, media_type: str, answer: Answer) -> Response:
    """The answer of an operation, as the client would have it."""
    if answer.text is not None:
        sent = {"content-security-policy": _SCRIPT_POLICY, "vary": "Accept, Content-Type, Authorization"}
        return cacheable(request, f"{media_type}; charset=utf-8", answer.text.encode(), sent)
    if answer.status == NO_CONTENT:
        return Response(NO_CONTENT)
    assert answer.document is not None
    headers = {
        **answer.headers,
        "vary": "Accept, Authorization",
        "link": _links(request.root, operation, answer.document),
    }
    if isinstance(operation, ReadOperation):
        return cacheable(request, media_type, orjson.dumps(answer.document), headers)
    if "return=minimal" in request.preferences:
        status = 204 if answer.status == 200 else answer.status
        return Response(status, headers={**headers, "preference-applied": "return=minimal"})
    return Response(answer.status, media_type, orjson.dumps(answer.document), headers)


def _links(root: str, operation: Operation, document: dict[str, Any]) -> str:
    """Links for who reads no bodies (RFC 8288): to what describes the API and this answer, and to the
    pages."""
    links = [
        f'<{root}{PATH}>; rel="service-desc"',
        f'<{root}{PATH}#/components/schemas/{answer_name(operation)}>; rel="describedby profile"',
    ]
    turns = {rel: document["_links"][rel]["href"] for rel in ("next", "prev") if rel in document["_links"]}
    return ", ".join([*links, *(f'<{href}>; rel="{rel}"' for rel, href in turns.items())])

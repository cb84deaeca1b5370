"""GraphQL over HTTP, as the working group's own audit sees a pool."""

from __future__ import annotations

from tests.client.conftest import Walk


def test_the_audit_passes_whole(walk: Walk) -> None:
    audited = walk("graphql-http.mjs")
    assert audited["failed"] == []
    assert audited["passed"] > 50

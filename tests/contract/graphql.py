"""GraphQL over HTTP, for what the facade has no words for."""

from __future__ import annotations

from typing import Any

import httpx


async def execute(client: httpx.AsyncClient, document: str, **variables: Any) -> dict[str, Any]:
    """The `data` of an operation that must have no errors."""
    answer = await client.post("/graphql", json={"query": document, "variables": variables})
    assert "errors" not in answer.json(), answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data

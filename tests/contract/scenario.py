"""What the tests of the contract have in common: a job, and how one of its variables is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

EXECUTE = "function (variable, context) { context.result = {sum: variable.data_field_one.foo + 1}; return context; }"


@dataclass(frozen=True)
class Job:
    """A job on the running pool: `H` is the pool's public root, `J` the job's URL, as the contract calls them."""

    client: httpx.AsyncClient
    key: str

    @property
    def root(self) -> str:
        return str(self.client.base_url).rstrip("/")

    @property
    def url(self) -> str:
        return f"{self.root}/jobs/{self.key}"

    async def variable(self, value: Any, **parameters: str) -> str:
        """The URL of a new variable."""
        made = await self.client.post(f"{self.url}/variables", json=value, params=parameters)
        assert made.status_code == 201, made.text
        return made.headers["location"]


def links(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["_links"]
    return found

"""A client of the schema in the same process, which gets what HTTP would carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from resolvers.runtime import Runtime
from schema.machinery.context import Context
from schema.schema import schema
from storage import Store
from storage.store import REPOSITORIES

USER_ERRORS = "userErrors { field message code }"


@dataclass(slots=True)
class Api:
    runtime: Runtime

    async def answer(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """`data` and `errors`, encoded and decoded as on their way back over HTTP."""
        result = await schema.execute(document, variables, context_value=Context(self.runtime, "192.0.2.1 test"))
        errors = [error.formatted for error in result.errors or ()]
        decoded: dict[str, Any] = orjson.loads(orjson.dumps({"data": result.data, "errors": errors}))
        return decoded

    async def __call__(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """`data` of a request in which nothing may go wrong."""
        answer = await self.answer(document, **variables)
        assert not answer["errors"], answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def errors(self, document: str, /, **variables: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.answer(document, **variables))["errors"]
        return found

    async def mutate(self, name: str, wanted: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation: `wanted` and its user errors."""
        kind = f"{name[0].upper()}{name[1:]}Input"
        data = await self(
            f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {wanted} {USER_ERRORS} }} }}", input=given
        )
        payload: dict[str, Any] = data[name]
        return payload

    async def done(self, name: str, wanted: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation in which nothing may go wrong."""
        payload = await self.mutate(name, wanted, **given)
        assert payload["userErrors"] == []
        return payload


async def documents(store: Store) -> dict[str, int]:
    """How many documents each collection of users' things holds."""
    counted = [repository.collection_name for repository in REPOSITORIES]
    return {name: await store.database.collection(name).count({}) for name in counted}

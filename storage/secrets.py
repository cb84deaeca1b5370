from __future__ import annotations

import secrets
from dataclasses import dataclass

from storage.document import Document
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class Secret(Document):
    value: str


class Secrets(Repository[Secret]):
    """Keys that every server process of one store shares, made at their first use."""

    collection_name = "secrets"
    kind = Secret

    async def key(self, name: str) -> bytes:
        """The 32 random bytes kept under `name`."""
        made = Secret(id=f"secret:{name}", value=secrets.token_hex(32))
        if await self.insert(made):
            return bytes.fromhex(made.value)
        kept = await self.get(made.id)
        if kept is None:
            raise LookupError(f"the secret {name} was removed from the store while it was read")
        return bytes.fromhex(kept.value)

from __future__ import annotations

from dataclasses import dataclass

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class AuditEntry(Document):
    """That an owner or an operator has changed something."""

    seq: str
    at: int
    account: str
    """Whose token or session it was; empty: it was done at the pool's machine, by the command line."""
    token: str
    """The key of that token or session."""
    action: str
    subject: str
    """What it was done to: a kind, and a key."""

    @staticmethod
    def id_of(seq: str) -> str:
        return f"audit:{seq}"


class Audit(Repository[AuditEntry]):
    collection_name = "audit"
    kind = AuditEntry
    indexes = (Index(("seq",)),)

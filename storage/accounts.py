from __future__ import annotations

from dataclasses import dataclass

from storage.deletable import Deletable
from storage.document import Document
from storage.engines import Index


@dataclass(slots=True, kw_only=True)
class Account(Document):
    """Who submits work: a person or an organisation. What an account may do is in its tokens."""

    key: str
    name: str
    seq: str
    created_at: int
    identity: str = ""
    """Digest of whose it is to an OpenID Connect provider; empty: nobody's."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"account:{key}"


class Accounts(Deletable[Account]):
    collection_name = "accounts"
    kind = Account
    indexes = (Index(("seq",)), Index(("identity", "seq")))

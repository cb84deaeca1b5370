"""The databases that hold the pool, behind one interface: MongoDB by URI, the embedded engine, or memory."""

from storage.engines.collection import Collection, Document, Index
from storage.engines.database import BadLocation, Database, open_database
from storage.engines.retries import StorageFull, StorageUnavailable

__all__ = [
    "BadLocation",
    "Collection",
    "Database",
    "Document",
    "Index",
    "StorageFull",
    "StorageUnavailable",
    "open_database",
]

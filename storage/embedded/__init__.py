"""The engine that needs no installation: the MongoDB protocol over SQLite, run as a child process."""

from storage.embedded.engine import DirectoryInUse, EngineFailed, SqliteMismatch, embedded_engine, running_engine

__all__ = ["DirectoryInUse", "EngineFailed", "SqliteMismatch", "embedded_engine", "running_engine"]

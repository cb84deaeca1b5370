"""The documents that resolvers answer with, for the schema, which does not reach into the storage."""

from storage.documents import Host, Job, Result, Task, UnitState, Variable

__all__ = ["Host", "Job", "Result", "Task", "UnitState", "Variable"]

"""The documents that resolvers answer with, for the schema, which does not reach into the storage."""

from storage import (
    Account,
    AuditEntry,
    Flow,
    FlowJob,
    FlowState,
    Host,
    Job,
    Level,
    NodeState,
    Result,
    Review,
    Run,
    Task,
    Token,
    UnitState,
    Variable,
)

__all__ = [
    "Account",
    "AuditEntry",
    "Flow",
    "FlowJob",
    "FlowState",
    "Host",
    "Job",
    "Level",
    "NodeState",
    "Result",
    "Review",
    "Run",
    "Task",
    "Token",
    "UnitState",
    "Variable",
]

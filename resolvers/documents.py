"""The documents that resolvers answer with, for the schema, which does not reach into the storage."""

from storage import Flow, FlowJob, FlowState, Host, Job, Level, NodeState, Result, Run, Task, UnitState, Variable

__all__ = [
    "Flow",
    "FlowJob",
    "FlowState",
    "Host",
    "Job",
    "Level",
    "NodeState",
    "Result",
    "Run",
    "Task",
    "UnitState",
    "Variable",
]

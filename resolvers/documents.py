"""The documents that resolvers answer with, for the schema, which does not reach into the storage."""

from storage.flow_jobs import FlowJob
from storage.flow_nodes import NodeState
from storage.flows import Flow, FlowState
from storage.hosts import Host
from storage.jobs import Job
from storage.levels import Level
from storage.results import Result
from storage.runs import Run
from storage.tasks import Task
from storage.units import UnitState
from storage.variables import Variable

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

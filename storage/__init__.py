"""What the pool stores: documents, the states they go through, and the store that keeps them."""

from storage.accounts import Account
from storage.assignments import Assignment
from storage.audit import AuditEntry
from storage.blocks import Block, Blocked
from storage.document import Document
from storage.flow_jobs import FlowJob
from storage.flow_nodes import NodeState
from storage.flows import Flow, FlowState
from storage.hosts import Host
from storage.jobs import Job, JobState, Review
from storage.levels import Level
from storage.queues import Queue
from storage.requests import Request
from storage.results import Result, Verdict
from storage.runs import Run
from storage.store import Store, open_store
from storage.tasks import Lease, Task, TaskState
from storage.tokens import Token
from storage.units import Unit, UnitState
from storage.variables import Variable

__all__ = [
    "Account",
    "Assignment",
    "AuditEntry",
    "Block",
    "Blocked",
    "Document",
    "Flow",
    "FlowJob",
    "FlowState",
    "Host",
    "Job",
    "JobState",
    "Lease",
    "Level",
    "NodeState",
    "Queue",
    "Request",
    "Result",
    "Review",
    "Run",
    "Store",
    "Task",
    "TaskState",
    "Token",
    "Unit",
    "UnitState",
    "Variable",
    "Verdict",
    "open_store",
]

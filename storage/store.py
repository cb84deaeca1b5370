from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.accounts import Accounts
from storage.assignments import Assignments
from storage.audit import Audit
from storage.blocks import Blocks
from storage.engines import Database, open_database
from storage.flow_jobs import FlowJobs
from storage.flows import Flows
from storage.hosts import Hosts
from storage.jobs import Jobs
from storage.levels import Levels
from storage.queues import Queues
from storage.repository import Repository
from storage.requests import Requests
from storage.results import Results
from storage.runs import Runs
from storage.secrets import Secrets
from storage.tasks import Tasks
from storage.tokens import Tokens
from storage.variables import Variables


class Store:
    """The repositories over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = database.clock
        self.jobs = Jobs(database)
        self.variables = Variables(database)
        self.runs = Runs(database)
        self.tasks = Tasks(database)
        self.flows = Flows(database)
        self.levels = Levels(database)
        self.flow_jobs = FlowJobs(database)
        self.results = Results(database)
        self.hosts = Hosts(database)
        self.queues = Queues(database)
        self.assignments = Assignments(database)
        self.secrets = Secrets(database)
        self.requests = Requests(database)
        self.accounts = Accounts(database)
        self.tokens = Tokens(database)
        self.audit = Audit(database)
        self.blocks = Blocks(database)


REPOSITORIES: tuple[type[Repository], ...] = (  # type: ignore[type-arg]
    Jobs,
    Variables,
    Runs,
    Flows,
    Levels,
    FlowJobs,
    Tasks,
    Results,
    Hosts,
    Queues,
    Assignments,
    Secrets,
    Requests,
    Accounts,
    Tokens,
    Audit,
    Blocks,
)


@asynccontextmanager
async def open_store(location: str) -> AsyncIterator[Store]:
    """The store at `location`: a `mongodb://` URI, `memory`, or a directory for the embedded engine.

    Raises what `open_database` raises: a store of a newer schema version, a directory in use, a server that does
    not answer.
    """
    indexes = {repository.collection_name: repository.indexes for repository in REPOSITORIES}
    async with open_database(location, indexes=indexes) as database:
        yield Store(database)

"""A client of a comp-pool over its GraphQL API: calls, flows, and jobs loaded from files.

`PoolClient` calls a pool; `watch_flow` follows a flow to its end; `read_workload` and `Loader` bring jobs from files.
What can go wrong is a `PoolError`; `Backoff` says when to try again.
"""

from comp_pool.backoff import Backoff
from comp_pool.client import PoolClient
from comp_pool.errors import NotAPool, PoolError, PoolFailed, PoolRefused, PoolUnavailable, Refusal
from comp_pool.flows import FlowUpdate, read_flow, watch_flow
from comp_pool.loading import Loaded, Loader, LoadProblem, Workload, read_workload
from comp_pool.schema import ErrorCode

__version__ = "1.0.0"
"""The version of this package, and of all that are released with it."""

__all__ = [
    "Backoff",
    "ErrorCode",
    "FlowUpdate",
    "LoadProblem",
    "Loaded",
    "Loader",
    "NotAPool",
    "PoolClient",
    "PoolError",
    "PoolFailed",
    "PoolRefused",
    "PoolUnavailable",
    "Refusal",
    "Workload",
    "read_flow",
    "read_workload",
    "watch_flow",
]

"""A client of a comp-pool over its GraphQL API: calls, flows, and jobs loaded from files."""

from comp_pool.backoff import Backoff
from comp_pool.client import NotAPool, PoolClient, PoolFailed, PoolRefused, PoolUnavailable, Refusal

__version__ = "1.0.0"
"""The version of this package, and of all that are released with it."""

__all__ = ["Backoff", "NotAPool", "PoolClient", "PoolFailed", "PoolRefused", "PoolUnavailable", "Refusal"]

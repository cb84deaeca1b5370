"""Flows seen from outside: read from files, submitted, watched."""

from comp_pool.flows.file import read_flow
from comp_pool.flows.watch import FlowUpdate, watch_flow

__all__ = ["FlowUpdate", "read_flow", "watch_flow"]

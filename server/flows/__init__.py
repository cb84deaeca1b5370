"""Flows seen from outside: read from files, submitted, watched."""

from server.flows.file import read_flow
from server.flows.picture import FlowPicture
from server.flows.watch import FlowUpdate, watch_flow

__all__ = ["FlowPicture", "FlowUpdate", "read_flow", "watch_flow"]

"""`comp-pool demo`: a whole pool in one process tree, with volunteers of which one cheats."""

from server.demo.demo import Demo
from server.demo.outcome import Outcome
from server.demo.state import State

__all__ = ["Demo", "Outcome", "State"]

"""`comp-pool demo`: a whole pool in one process tree, with volunteers of which one cheats."""

from cli.demo.demo import Demo
from cli.demo.outcome import Outcome
from cli.demo.state import State

__all__ = ["Demo", "Outcome", "State"]

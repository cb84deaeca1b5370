"""What a volunteer computes and for how long."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """An operator's choices.

    Attributes:
        concurrency: computations at the same time, each in a process.
        jobs: only these keys; empty: any.
        owners: only jobs of these; empty: any.
        scheduler: the job scheduler; empty: the pool's default.
        max_tasks: end after so many; 0: never.
        until_idle: end when the pool has nothing more for this host.
        name: what a new host calls itself.
        longest_wait_s: the longest pause before the pool is asked again, in seconds, if it asks for no longer one.
    """

    concurrency: int = 1
    jobs: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    scheduler: str = ""
    max_tasks: int = 0
    until_idle: bool = False
    name: str = f"native, {platform.system()}"
    longest_wait_s: float = 30.0

    @property
    def wanted(self) -> dict[str, Any]:
        """The inputs of a claim that say what is wanted."""
        return {"jobs": self.jobs or None, "owners": self.owners or None, "scheduler": self.scheduler or None}


DEFAULT = Options()

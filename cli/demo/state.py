"""Where the demo stands, for whoever shows it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from cli.flow_picture import FlowPicture
from volunteer import Event, Judged, Tally

FLOW_PHASE = "computing a flow"


@dataclass(slots=True)
class JobState:
    """A job's variables: how many there are, and how many have their canonical result."""

    key: str
    name: str
    quorum: int
    variables: int
    done: int = 0


@dataclass(slots=True)
class VolunteerState:
    """A volunteer, and what it did so far."""

    name: str
    cheats: bool
    tally: Tally = field(default_factory=Tally)
    taken_in: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the pool has taken its first result."""

    def tell(self, event: Event) -> None:
        self.tally.add(event)
        if isinstance(event, Judged):
            self.taken_in.set()


@dataclass(slots=True)
class State:
    """The whole demo."""

    phase: str = "starting the pool"
    url: str = ""
    jobs: list[JobState] = field(default_factory=list)
    volunteers: list[VolunteerState] = field(default_factory=list)
    flow: FlowPicture = field(default_factory=FlowPicture)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def is_computed(self) -> bool:
        return bool(self.jobs) and all(job.done == job.variables for job in self.jobs)

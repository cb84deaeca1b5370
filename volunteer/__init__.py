"""The native volunteer: computes a pool's tasks in V8 processes of its own."""

from volunteer.events import Claimed, Computed, Event, Judged, Lost, Released, Standing, Waiting, Warned, described
from volunteer.identity import Identity, forgotten, remembered
from volunteer.options import Options
from volunteer.tally import Tally
from volunteer.volunteer import Volunteer

__all__ = [
    "Claimed",
    "Computed",
    "Event",
    "Identity",
    "Judged",
    "Lost",
    "Options",
    "Released",
    "Standing",
    "Tally",
    "Volunteer",
    "Waiting",
    "Warned",
    "described",
    "forgotten",
    "remembered",
]

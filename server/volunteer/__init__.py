"""The native volunteer: computes a pool's tasks in V8 processes of its own."""

from server.volunteer.events import (
    Claimed,
    Computed,
    Event,
    Judged,
    Lost,
    Released,
    Standing,
    Waiting,
    Warned,
    described,
)
from server.volunteer.identity import Identity, forgotten, remembered
from server.volunteer.tally import Tally
from server.volunteer.volunteer import Options, Volunteer

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

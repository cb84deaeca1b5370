"""Small flows, and one for each turn that a flow can take."""

from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import ALWAYS, NEVER, THROWING, below

FLOWS = {
    "nested": Level(
        [Job("number", "three", alias="last"), Job("count", repeat=below(3), alias="n")],
        [
            Level([Job("object", "pair"), Job("number", "zero", condition=NEVER)]),
            Level([Job("grow")], [Level([Job("number", condition=NEVER), Job("bare", condition=NEVER)])]),
        ],
    ),
    "all skipped": Level([Job("number", condition=NEVER)], [Level([Job("bare", condition=NEVER)])] * 2),
    "if throws": Level(
        [Job("bare")], [Level([Job("number", "three")]), Level([Job("bare", condition=THROWING[0]), Job("grow")])]
    ),
    "if throws at the root": Level([Job("bare", condition=THROWING[1]), Job("grow")], [Level([Job("bare")])]),
    "while throws": Level([Job("bare", repeat=THROWING[0]), Job("number", "zero")], [Level([Job("bare")])]),
    "while for ever": Level([Job("count", repeat=ALWAYS, policy={"max_iterations": 2}), Job("number", "zero")]),
    "broken": Level([Job("bare")], [Level([Job("broken", policy={"max_errors": 1}), Job("number", "zero")])]),
    "quorum": Level([Job("number", "zero", policy={"quorum": 2}), Job("count", policy={"quorum": 2}, repeat=below(2))]),
}

ONE = Level([Job("number", "three", alias="n")])
TWO_LEVELS = Level([Job("object", "pair")], [Level([Job("number", "three"), Job("number", "zero")])])
BROKEN = Level([Job("broken", policy={"max_errors": 1}), Job("number", "zero")])

"""Arguments to try functions of Math with: finite, of their domain, and more of them where a function is hard."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

import mpmath

Draw = Callable[[Random], float]

EDGES = {
    "exp": (709.0, -708.0, 709.782712893384, -708.3964185322641, -745.1332191019411),
    "expm1": (0.125, -0.125, -38.0, 56.0, 709.0, 709.782712893384),
    "log": (2.2250738585072014e-308, 1.0, 0.705078125, 1.41015625, 0.998046875, 1.00390625),
    "log1p": (-1.0, 1.0, -0.294921875, 0.41015625, -0.001953125, 0.00390625, 9007199254740992.0),
    "sin": (0.7853981633974483, 1647099.0, 2.356194490192345),
    "tan": (0.7853981633974483, 1647099.0, 1e-8),
    "asin": (0.5, 1.0),
    "atan": (0.4, 2.5, 1.0, 1e17),
    "sinh": (0.125, 22.0, 709.0, 710.4758600739439),
    "tanh": (0.125, 22.0),
    "asinh": (0.125, 1.0, 268435456.0),
    "acosh": (1.0, 2.0, 268435456.0),
    "atanh": (0.125, 1.0),
    "cbrt": (1.0, 8.0, 27.0, 2.2250738585072014e-308),
}
EDGES |= {
    "log2": EDGES["log"],
    "log10": (*EDGES["log"], *(10.0**power for power in range(-300, 309))),
    "cos": EDGES["sin"],
    "acos": EDGES["asin"],
    "cosh": EDGES["sinh"],
}
"""Where branches begin; each is tried on both sides of 0, with its neighbours."""
POSITIVE = (5e-324, math.inf)
WITHIN_ONE = (-1.0, 1.0)
DOMAINS = {
    "log": POSITIVE,
    "log2": POSITIVE,
    "log10": POSITIVE,
    "log1p": (math.nextafter(-1, 0), math.inf),
    "asin": WITHIN_ONE,
    "acos": WITHIN_ONE,
    "acosh": (1.0, math.inf),
    "atanh": (math.nextafter(-1, 0), math.nextafter(1, 0)),
}
"""Where functions have a finite value."""


def any_double(random: Random) -> float:
    """Any bits: as many subnormal numbers and huge ones as their exponents make."""
    while True:
        value: float = struct.unpack("<d", random.randbytes(8))[0]
        if math.isfinite(value):
            return value


def subnormal(random: Random) -> float:
    return signed(random, random.randrange(1, 1 << 52) * 5e-324)


def around(edge: float) -> Draw:
    """Neighbours of a number, most of them near."""

    def draw(random: Random) -> float:
        value = edge
        for _ in range(random.randrange(4)):
            value = math.nextafter(value, random.choice((-math.inf, math.inf)))
        return signed(random, value * (1 + random.choice((0.0, 0.0, random.uniform(-1e-9, 1e-9)))))

    return draw


def signed(random: Random, value: float) -> float:
    return value if random.random() < 0.5 else -value


def uniform(most: float) -> Draw:
    return lambda random: random.uniform(-most, most)


def of_size(least: float, most: float) -> Draw:
    """As many of each size."""
    return lambda random: signed(random, 2 ** random.uniform(math.log2(least), math.log2(most)))


def quarter_turns(random: Random) -> float:
    """The double next to a multiple of pi/2, or a neighbour, up to the largest."""
    with mpmath.workprec(1200):
        times = random.getrandbits(random.choice((2, 8, 20, 24, 40, 60, 300, 1000))) + 1
        value = float(times * mpmath.pi / random.choice((2, 4)))
    return around(value)(random)


def near_one(random: Random) -> float:
    return signed(random, 1 + signed(random, 2 ** random.uniform(-53, -1)))


def _general(name: str) -> list[Draw]:
    draws: list[Draw] = [any_double, subnormal, of_size(1e-30, 1e30), of_size(1e-4, 1e3), uniform(1), uniform(40)]
    draws += [near_one, of_size(2**-40, 1), uniform(750)]
    draws += [around(edge) for edge in EDGES.get(name, ())][:12]
    if name in ("sin", "cos", "tan"):
        draws += [quarter_turns, quarter_turns, uniform(1e6), of_size(1e5, 1e8)]
    if name == "log10":
        draws += [lambda random: around(10.0 ** random.randrange(-300, 309))(random)]
    return draws


def arguments_of(name: str, seed: int) -> Iterator[tuple[float, ...]]:
    """Arguments without end, the edges first."""
    random = Random(f"{name} {seed}")
    if name in ("pow", "atan2", "hypot"):
        yield from _pairs(name, random)
    low, high = DOMAINS.get(name, (-math.inf, math.inf))
    draws = _general(name)
    edges = (around(edge)(random) for edge in EDGES.get(name, ()) for _ in range(8))
    while True:
        for value in (*islice(edges, 1000), *(draw(random) for draw in draws)):
            if low <= value <= high:
                yield (value,)


def _pairs(name: str, random: Random) -> Iterator[tuple[float, ...]]:
    draws = [any_double, subnormal, of_size(1e-4, 1e4), uniform(10), uniform(1), near_one, of_size(1e-160, 1e160)]
    while True:
        for draw in draws:
            x, y = draw(random), random.choice(draws)(random)
            if name == "pow":
                yield from _powers(abs(x), y, random)
            else:
                yield x, y
                yield x, x * random.uniform(-3, 3)


def _powers(x: float, y: float, random: Random) -> Iterator[tuple[float, ...]]:
    """Powers that are numbers, most of them neither 0 nor infinite."""
    yield x, y
    if x not in (0, 1):
        yield x, random.uniform(-1075, 1024) / math.log2(x)
        yield x, around(1024 / math.log2(x))(random)
        yield x, around(-1022 / math.log2(x))(random)
    yield signed(random, x), float(random.randrange(-40, 40))
    yield x, random.choice((0.5, 1 / 3, -0.5, 1.5, 2.0, 3.0))

"""What the demo's jobs have to come to, computed without the pool and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MASK = 0xFFFFFFFF


def string_hash(variable: dict[str, str]) -> int:
    value = 0
    for character in variable["hash"]:
        value = (31 * value + ord(character)) & MASK
    return value - (1 << 32) if value >> 31 else value


def monte_carlo_pi(variable: dict[str, int]) -> dict[str, float]:
    state = variable["seed"]
    inside = 0
    for _ in range(variable["samples"]):
        place = []
        for _ in "xy":
            state ^= (state << 13) & MASK
            state ^= state >> 17
            state ^= (state << 5) & MASK
            place.append(state / 2**32)
        inside += place[0] ** 2 + place[1] ** 2 < 1
    return {"inside": inside, "pi": 4 * inside / variable["samples"]}


def prime_factors(number: int) -> str:
    factors = []
    rest, divisor = number, 2
    while divisor * divisor <= rest:
        while rest % divisor == 0:
            factors.append(divisor)
            rest //= divisor
        divisor += 1
    if rest > 1:
        factors.append(rest)
    return f"{number} = {' x '.join(map(str, factors))}"


EXPECTED: dict[str, Callable[[Any], Any]] = {
    "string-hash": string_hash,
    "monte-carlo-pi": monte_carlo_pi,
    "prime-factors": prime_factors,
}
"""The canonical result of a variable, by the job's key."""

"""What the functions of Math would return if numbers had no end of digits, by mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import mpmath
from mpmath import mp, mpf

BITS = 100
TINY = mpf(2) ** -60
LARGEST = mpf(2) ** 1024
ONE = mpf(1)


def _with_series(function: Callable[[mpf], mpf], second: float, third: float) -> Callable[[mpf], mpf]:
    """The function, by its series `x + second x^2 + third x^3` where mpmath would lose its digits."""

    def exact(x: mpf) -> mpf:
        if abs(x) < TINY:
            return x + x * x * (mpf(second) + x * mpf(third))
        with mp.workprec(BITS + 70):
            return function(x)

    return exact


def _atanh(x: mpf) -> mpf:
    return mp.log((1 + x) / (1 - x)) / 2


def _acosh(x: mpf) -> mpf:
    with mp.workprec(BITS + 70):
        return mp.log(x + mp.sqrt(x * x - 1))


def _asinh(x: mpf) -> mpf:
    root = mp.sqrt(x * x + 1)
    return mp.log(x + root) if x > 0 else -mp.log(root - x)


def _tanh(x: mpf) -> mpf:
    if abs(x) > 400:
        return ONE if x > 0 else -ONE
    grown = mp.exp(2 * x)
    return (grown - 1) / (grown + 1)


def _hypot(*sides: mpf) -> mpf:
    return mp.sqrt(sum(side * side for side in sides))


def _cbrt(x: mpf) -> mpf:
    return mp.cbrt(x) if x > 0 else -mp.cbrt(-x)


def _pow(x: mpf, y: mpf) -> mpf:
    if abs(y) < mpf(2) ** -70:
        return ONE
    if x < 0:
        power = _pow(-x, y)
        return -power if y % 2 else power
    with mp.workprec(BITS + 70):
        logarithm = y * mp.log(x)
        # Nothing of this size has a double.
        return mp.exp(max(min(logarithm, mpf(800)), mpf(-800)))


FUNCTIONS: dict[str, Callable[..., mpf]] = {
    "exp": mp.exp,
    "expm1": _with_series(lambda x: mp.exp(x) - 1, 1 / 2, 1 / 6),
    "log": mp.ln,
    "log1p": _with_series(lambda x: mp.ln(1 + x), -1 / 2, 1 / 3),
    "log2": lambda x: mp.ln(x) / mp.ln2,
    "log10": lambda x: mp.ln(x) / mp.ln10,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": _with_series(lambda x: (mp.exp(x) - mp.exp(-x)) / 2, 0, 1 / 6),
    "cosh": lambda x: (mp.exp(x) + mp.exp(-x)) / 2,
    "tanh": _with_series(_tanh, 0, -1 / 3),
    "asinh": _with_series(_asinh, 0, -1 / 6),
    "acosh": _acosh,
    "atanh": _with_series(_atanh, 0, 1 / 3),
    "pow": _pow,
    "cbrt": _cbrt,
    "hypot": _hypot,
}


def error_of(value: float, exact: mpf) -> float:
    """How far a double is from the exact value, in units in the last place of that.

    An infinity stands for 2^1024, the first number that no double is near to.
    """
    if math.isnan(value):
        return math.inf
    if abs(exact) >= LARGEST:
        return 0.0 if value == math.copysign(math.inf, exact) else math.inf
    if exact == 0:
        return 0.0 if value == 0 else math.inf
    _, exponent = mpmath.frexp(exact)
    unit = max(int(exponent) - 53, -1074)
    got = mpmath.sign(value) * LARGEST if math.isinf(value) else mpf(value)
    return float(mpmath.ldexp(abs(got - exact), -unit))


def worst(
    name: str, arguments: Iterable[tuple[float, ...]], values: Iterable[float]
) -> tuple[float, tuple[float, ...], float]:
    """The largest error of these values, and what arguments it is of, and the value."""
    function = FUNCTIONS[name]
    most: tuple[float, tuple[float, ...], float] = (-1.0, (), 0.0)
    with mp.workprec(BITS):
        for given, value in zip(arguments, values, strict=True):
            error = error_of(value, function(*map(mpf, given)))
            if error > most[0]:
                most = (error, given, value)
    return most

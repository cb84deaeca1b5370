"""The portable functions of Math are less than a unit in the last place from the exact value."""

from itertools import islice

import pytest

from tests.sandbox.math.engines import PortableMath
from tests.sandbox.math.exact import FUNCTIONS, worst
from tests.sandbox.math.samples import arguments_of

AT_ONCE = 5_000


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_value_is_within_a_unit_in_the_last_place(portable: PortableMath, name: str) -> None:
    _try(portable, name, AT_ONCE, seed=0)


@pytest.mark.parametrize("sides", [1, 3, 10])
def test_lengths_of_any_number_of_sides_are_within_a_unit_in_the_last_place(portable: PortableMath, sides: int) -> None:
    drawn = (value for pair in arguments_of("hypot", seed=2) for value in pair)
    arguments = [tuple(islice(drawn, sides)) for _ in range(2_000)]
    error, given, value = worst("hypot", arguments, portable.call("hypot", arguments))
    assert error < 1, f"Math.hypot{given} is {error} units in the last place from {value}"


@pytest.mark.soak
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_million_values_are_within_a_unit_in_the_last_place(portable: PortableMath, name: str) -> None:
    error = _try(portable, name, 1_000_000, seed=1)
    print(f"Math.{name}: at most {error:.3f} units in the last place, of 1,000,000 values")


def _try(portable: PortableMath, name: str, count: int, seed: int) -> float:
    drawn = arguments_of(name, seed)
    most = 0.0
    for _ in range(count // AT_ONCE):
        arguments = list(islice(drawn, AT_ONCE))
        error, given, value = worst(name, arguments, portable.call(name, arguments))
        assert error < 1, f"Math.{name}{given} is {error} units in the last place from {value}"
        most = max(most, error)
    return most

"""The values that ECMAScript states for zeros, infinities and NaN (ECMA-262, sections 6.1.6.1.3 and 21.3.2)."""

import math
from collections.abc import Callable

import pytest

from tests.sandbox.math.engines import PortableMath

NAN, INF = "NaN", "Infinity"

# Of each function: argument -> value. Where x is there and -x is not, -x has the value with the other sign.
ODD = {
    "expm1": {"-0": "-0", "0": "0", INF: INF, "-Infinity": "-1"},
    "log1p": {"-0": "-0", "0": "0", "-1": "-Infinity", "-1.0000000000000002": NAN, "-Infinity": NAN, INF: INF},
    "sin": {"0": "0", INF: NAN},
    "tan": {"0": "0", INF: NAN},
    "asin": {"0": "0", "1.0000000000000002": NAN, INF: NAN, "1": "1.5707963267948966"},
    "atan": {"0": "0", INF: "1.5707963267948966"},
    "sinh": {"0": "0", INF: INF, "710.475860073944": INF},
    "tanh": {"0": "0", INF: "1", "22": "1"},
    "asinh": {"0": "0", INF: INF},
    "atanh": {"0": "0", "1": INF, "1.0000000000000002": NAN, INF: NAN},
    "cbrt": {"0": "0", INF: INF, "27": "3", "1e-300": "1e-100"},
}
OTHERS = {
    "exp": {"0": "1", "-0": "1", INF: INF, "-Infinity": "0", "709.7827128933841": INF, "-745.1332191019412": "0"},
    "log": {"1": "0", "0": "-Infinity", "-0": "-Infinity", "-5e-324": NAN, INF: INF, "-Infinity": NAN},
    "log2": {"1": "0", "0": "-Infinity", "-0": "-Infinity", "-5e-324": NAN, INF: INF, "8": "3", "5e-324": "-1074"},
    "log10": {"1": "0", "0": "-Infinity", "-0": "-Infinity", "-5e-324": NAN, INF: INF, "1000": "3", "1e-300": "-300"},
    "cos": {"0": "1", "-0": "1", INF: NAN, "-Infinity": NAN},
    "acos": {"1": "0", "-1": "3.141592653589793", "1.0000000000000002": NAN, "-1.0000000000000002": NAN, INF: NAN},
    "cosh": {"0": "1", "-0": "1", INF: INF, "-Infinity": INF, "710.475860073944": INF},
    "acosh": {"1": "0", "0.9999999999999999": NAN, "0": NAN, "-0": NAN, "-1": NAN, "-Infinity": NAN, INF: INF},
}
POWERS = {
    **{f"{x}, NaN": NAN for x in ("0", "1", "-1", INF, NAN)},
    **{f"{x}, {y}": "1" for x in ("0", "-0", "1", "-2", INF, "-Infinity", NAN) for y in ("0", "-0")},
    **{f"NaN, {y}": NAN for y in ("1", "-1", INF, "5e-324")},
    **{f"{x}, {y}": NAN for x in ("1", "-1") for y in (INF, "-Infinity")},
    **{f"{x}, Infinity": INF for x in ("1.0000000000000002", "-2", INF, "-Infinity")},
    **{f"{x}, -Infinity": "0" for x in ("1.0000000000000002", "-2", INF, "-Infinity")},
    **{f"{x}, Infinity": "0" for x in ("0.9999999999999999", "-0.5", "0", "-0")},
    **{f"{x}, -Infinity": INF for x in ("0.9999999999999999", "-0.5", "0", "-0")},
    **{f"Infinity, {y}": INF for y in ("0.5", "5e-324", "3")},
    **{f"Infinity, {y}": "0" for y in ("-0.5", "-5e-324", "-3")},
    "-Infinity, 3": "-Infinity",
    "-Infinity, 2": INF,
    "-Infinity, 0.5": INF,
    "-Infinity, -3": "-0",
    "-Infinity, -2": "0",
    "-Infinity, -0.5": "0",
    "0, 3": "0",
    "0, 0.5": "0",
    "0, -3": INF,
    "0, -0.5": INF,
    "-0, 3": "-0",
    "-0, 2": "0",
    "-0, 0.5": "0",
    "-0, -3": "-Infinity",
    "-0, -2": INF,
    "-0, -0.5": INF,
    "-8, 0.3333333333333333": NAN,
    "-5e-324, 1.5": NAN,
    "-2, 3": "-8",
    "-2, -2": "0.25",
    "-2, 1024": INF,
    "-2, 1023": "-8.98846567431158e+307",
    "-2, 1025": "-Infinity",
    "-2, -1075": "-0",
    "2, -1074": "5e-324",
    "-1, 9007199254740991": "-1",
    "-1, 9007199254740992": "1",
    "-1, 1e300": "1",
    "2, 1e300": INF,
    "2, -1e300": "0",
    "0.5, 1e300": "0",
    "-2, -1e300": "0",
    "10, 308": "1e+308",
    "10, -5": "0.00001",
    "3, 2": "9",
    "2, 5e-324": "1",
    "5e-324, 1": "5e-324",
    "5e-324, -1": INF,
    "1.7976931348623157e308, 1": "1.7976931348623157e+308",
}
ANGLES = {
    **{f"{y}, NaN": NAN for y in ("0", "1", INF, NAN)},
    **{f"NaN, {x}": NAN for x in ("0", "-1", INF)},
    "0, 0": "0",
    "-0, 0": "-0",
    "0, -0": "3.141592653589793",
    "-0, -0": "-3.141592653589793",
    "0, 1": "0",
    "-0, 1": "-0",
    "0, -5e-324": "3.141592653589793",
    "-0, -Infinity": "-3.141592653589793",
    **{f"{y}, {x}": "1.5707963267948966" for y in ("1", INF) for x in ("0", "-0")},
    **{f"-1, {x}": "-1.5707963267948966" for x in ("0", "-0")},
    "1, Infinity": "0",
    "-1, Infinity": "-0",
    "1, -Infinity": "3.141592653589793",
    "Infinity, 1": "1.5707963267948966",
    "-Infinity, -1": "-1.5707963267948966",
    "Infinity, Infinity": "0.7853981633974483",
    "Infinity, -Infinity": "2.356194490192345",
    "-Infinity, Infinity": "-0.7853981633974483",
    "-Infinity, -Infinity": "-2.356194490192345",
    "5e-324, 1e300": "0",
    "-5e-324, -1": "-3.141592653589793",
    "5e-324, 5e-324": "0.7853981633974483",
}
LENGTHS = {
    "": "0",
    "-0": "0",
    "-0, -0": "0",
    "-3": "3",
    "3, 4": "5",
    "-3, -4, 12": "13",
    "1, 1, 1, 1": "2",
    "NaN, 1": NAN,
    "NaN": NAN,
    "NaN, Infinity": INF,
    "1, -Infinity, NaN": INF,
    "-Infinity": INF,
    "0, NaN, 0": NAN,
    "5e-324, 0": "5e-324",
    "3e-320, 4e-320": "5e-320",
    "1.7976931348623157e308, 1.7976931348623157e308": INF,
    "undefined, 1": NAN,
    "null, 2": "2",
    "'3', [4]": "5",
}


def _cases() -> list[tuple[str, str, str]]:
    cases = [(name, x, value) for name, values in (ODD | OTHERS).items() for x, value in values.items()]
    for name, values in ODD.items():
        cases += [(name, _negated(x), _negated(value)) for x, value in values.items() if not _has_negative(x, values)]
    cases += [(name, NAN, NAN) for name in ODD | OTHERS]
    for name, table in (("pow", POWERS), ("atan2", ANGLES), ("hypot", LENGTHS)):
        cases += [(name, arguments, value) for arguments, value in table.items()]
    return cases


def _has_negative(x: str, values: dict[str, str]) -> bool:
    return x.startswith("-") or _negated(x) in values


def _negated(value: str) -> str:
    return value if value == NAN else f"-{value}"


def test_special_arguments_have_the_values_of_the_specification(portable: PortableMath) -> None:
    cases = _cases()
    written = "n => Object.is(n, -0) ? '-0' : String(n)"
    calls = ", ".join(f"Math.{name}({arguments})" for name, arguments, _ in cases)
    values = portable.eval(f"JSON.stringify([{calls}].map({written}))")
    assert isinstance(values, list)
    wrong = [(*case, value) for case, value in zip(cases, values, strict=True) if case[2] != value]
    assert wrong == []
    assert len(cases) > 250


EXACT: dict[str, Callable[[int], float]] = {
    "log2": lambda power: 2.0**power,
    "log10": lambda power: float(f"1e{power}"),
    "cbrt": lambda root: float(root**3),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_has_an_exact_value_has_it(portable: PortableMath, name: str) -> None:
    wanted = range(-300, 300)
    assert portable.call(name, [(EXACT[name](value),) for value in wanted]) == list(wanted)


def test_exact_powers_and_lengths_are_exact(portable: PortableMath) -> None:
    powers = [(float(x), float(y)) for x in range(-30, 31) for y in range(11) if abs(x**y) < 2**53]
    assert portable.call("pow", powers) == [float(int(x) ** int(y)) for x, y in powers]
    legs = [(float(m * m - n * n), float(2 * m * n)) for m in range(1, 60) for n in range(m)]
    assert portable.call("hypot", legs) == [math.sqrt(x * x + y * y) for x, y in legs]


def test_arguments_are_converted_as_ecmascript_says(portable: PortableMath) -> None:
    said = portable.eval(
        """(() => {
          const order = [];
          const tell = (name, value) => ({ valueOf() { order.push(name); return value; } });
          const refused = (call) => { try { call(); return "nothing"; } catch (error) { return error.name; } };
          return JSON.stringify({
            values: [Math.exp("1") === Math.E, Math.pow(tell("x", 2), tell("y", 3))],
            length: String(Math.hypot(tell("a", NaN), tell("b", Infinity), tell("c", 1))),
            order,
            refused: [Math.exp, Math.sin, Math.hypot, Math.cbrt].map((f) => refused(() => f(1n))),
            symbols: refused(() => Math.hypot(Infinity, Symbol())),
            none: [Math.exp(), Math.atan2(1), Math.pow()].map(String),
          });
        })()"""
    )
    assert said == {
        "values": [True, 8],
        "length": "Infinity",
        "order": ["x", "y", "a", "b", "c"],
        "refused": ["TypeError"] * 4,
        "symbols": "TypeError",
        "none": ["NaN"] * 3,
    }

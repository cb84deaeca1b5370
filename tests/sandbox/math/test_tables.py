"""The tables of the portable Math hold what they say."""

import json

import mpmath
from py_mini_racer import MiniRacer

from sandbox.scripts import MATH

PLACES = 128
UNIT = mpmath.mpf(2) ** -42
# The script that comes next would find them no more.
TABLES, _ = MATH.split("// Math.exp and Math.expm1", 1)


def _tables() -> dict[str, list[float]]:
    racer = MiniRacer()
    try:
        racer.eval(TABLES)
        text = racer.eval(
            "JSON.stringify(__math.tables, (key, value) => ArrayBuffer.isView(value) ? [...value] : value)"
        )
        tables: dict[str, list[float]] = json.loads(str(text))
        return tables
    finally:
        racer.close()


def test_the_tables_are_powers_of_two_and_logarithms() -> None:
    tables = _tables()
    with mpmath.workprec(200):
        for at in range(PLACES):
            root = mpmath.mpf(2) ** (mpmath.mpf(at) / PLACES)
            assert tables["ROOTS"][at] == float(root)
            assert tables["ROOT_TAILS"][at] == float(root / tables["ROOTS"][at] - 1)
            logarithm = -mpmath.log(mpmath.mpf(tables["RECIPROCALS"][at]))
            assert tables["LOGARITHMS"][at] == float(mpmath.nint(logarithm / UNIT) * UNIT)
            assert tables["LOGARITHM_TAILS"][at] == float(logarithm - tables["LOGARITHMS"][at])
    assert {name: len(table) for name, table in tables.items()} == dict.fromkeys(tables, PLACES)

"""`**` in jobs' code computes what the portable Math.pow does, and means what it meant otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from py_mini_racer import MiniRacer

from sandbox.scripts import MATH
from tests import npm

CLIENT = Path(__file__).parents[3] / "client"
CASES = Path(__file__).with_name("operator_cases.txt").read_text(encoding="utf-8")
SAME = dict(re.findall(r"^//// (.+)\n((?:(?!////).*\n)+)", CASES, re.M))
"""Bodies of a function of `v`, which is 3, by their names."""


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[MiniRacer, MiniRacer]]:
    """One with the rewriter, and one as it is."""
    rewriting, plain = _rewriting(), MiniRacer()
    plain.eval("var compile = Function")
    yield rewriting, plain
    rewriting.close()
    plain.close()


def _rewriting() -> MiniRacer:
    parser = npm.node_modules(CLIENT) / "acorn" / "dist" / "acorn.js"
    text = json.dumps(parser.read_text(encoding="utf-8"))
    racer = MiniRacer()
    racer.eval(f"{MATH}; __math.install(Math); var compile = __math.compileWith({text}); delete globalThis.__math;")
    return racer


def _called(racer: MiniRacer, body: str) -> str:
    return str(racer.eval(f"String(compile('v', {json.dumps(body)})(3))"))


@pytest.mark.parametrize("name", SAME)
def test_a_program_means_what_it_meant(engines: tuple[MiniRacer, MiniRacer], name: str) -> None:
    rewriting, plain = engines
    assert _called(rewriting, SAME[name]) == _called(plain, SAME[name])


def test_random_expressions_mean_what_they_meant(engines: tuple[MiniRacer, MiniRacer]) -> None:
    random = Random(13)
    names = "let a = 2, b = [1, 2, 3], o = { p: 2 };"
    bodies = [f"{names} return [{_expression(random, 5)}, a, b, o.p]" for _ in range(300)]
    rewriting, plain = engines
    assert [_called(rewriting, body) for body in bodies] == [_called(plain, body) for body in bodies]


def _expression(random: Random, depth: int) -> str:
    """Of numbers so small that every engine's powers of them are exact."""
    if depth == 0:
        return random.choice(("2", "1", "0", "a", "v", "b[1]", "o.p", "-1"))
    one, other = _expression(random, depth - 1), _expression(random, depth - 1)
    forms = (
        f"(({one}) % 3) ** (({other}) & 3)",
        f"(a **= ({one}) & 1)",
        f"(b[({one}) & 1] **= ({other}) & 1)",
        f"(o.p /**/ **= \n ({one}) & 1)",
        f"({one}) + ({other})",
        f"[{one}, {other}].length ** (({one}) & 2)",
        f"`${{{one}}}**`.length",
        f"((x) => (x & 3) ** 2)({one})",
    )
    return random.choice(forms)


def test_powers_are_the_portable_ones(engines: tuple[MiniRacer, MiniRacer]) -> None:
    rewriting, _ = engines
    body = """
      const own = [], operator = [], made = Function("a", "b", "return a ** b");
      for (let i = 1; i < 2000; i++) {
        let x = 1 + i / 700;
        const o = { x };
        operator.push(x ** (i / 13), made(x, i / 13), o.x **= i / 13, x **= i / 13);
        x = 1 + i / 700;
        for (let n = 0; n < 4; n++) own.push(Math.pow(x, i / 13));
      }
      return operator.every((value, at) => value === own[at]);
    """
    assert _called(rewriting, body) == "true"


@pytest.mark.parametrize("body", ["return 2 **", "return -2 ** 2", "return 1 } function f() { 2 ** 2", "2 **= 3"])
def test_what_does_not_parse_is_a_syntax_error(engines: tuple[MiniRacer, MiniRacer], body: str) -> None:
    script = f"try {{ compile('v', {json.dumps(body)}); 'compiled' }} catch (error) {{ error.name }}"
    assert [racer.eval(script) for racer in engines] == ["SyntaxError"] * 2


def test_a_key_is_converted_once(engines: tuple[MiniRacer, MiniRacer]) -> None:
    # As the specification says; V8 itself converts it twice.
    body = "let n = 0; const k = { toString() { n++; return 'q' } }, o = { q: 2 }; o[k] **= 3; return [o.q, n]"
    assert _called(engines[0], body) == "8,1"


def test_without_a_parser_no_operator_is_compiled() -> None:
    racer = MiniRacer()
    try:
        racer.eval(f"{MATH}; var compile = __math.compileWith('');")
        assert _called(racer, "return v + 1") == "4"
        refused = "try { return Function('return 2 ' + '*'.repeat(2) + ' 3')() } catch (error) { return error.message }"
        assert "whose own code has none" in _called(racer, refused)
    finally:
        racer.close()


def test_lines_of_errors_stay(engines: tuple[MiniRacer, MiniRacer]) -> None:
    body = (
        "let o = { a: 2 };\no\n.a /* one\ntwo */ **=\n// three\n2 ** 2;\n"
        "try { null.x } catch (e) { return /, <anonymous>:(\\d+):\\d+/.exec(e.stack)[1] }"
    )
    assert [_called(racer, body) for racer in engines] == ["9", "9"]


@pytest.fixture
def spoilt() -> Iterator[MiniRacer]:
    """One with the rewriter, for a test to spoil."""
    racer = _rewriting()
    yield racer
    racer.close()


# Each returns whether the job has a way to the engine's own.
ESCAPES: dict[str, str] = {
    "constructors": "return [async () => {}, function* () {}, async function* () {}].some((f) => "
    "Object.getPrototypeOf(f.constructor) !== Function || !String(f.constructor('return 2 ** 2')).includes('__power'))",
    "traps": "Object.prototype.get = Object.prototype.getPrototypeOf = (target) => { globalThis.caught = target }; "
    "Function.prototype; Object.getPrototypeOf(Function); return 'caught' in globalThis",
    "overwriting": "try { __power = 1 } catch {} try { __power.get = 1 } catch {} "
    "return delete globalThis.__power || typeof __power.get !== 'function'",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_the_engines_own_stays_out_of_reach(spoilt: MiniRacer, name: str) -> None:
    assert _called(spoilt, ESCAPES[name]) == "false"


PATCHES = {
    "a method": "Array.prototype.push = function () { return 0 }",
    "a function": "Object.values = () => []",
    "an iterator": "Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true })",
    "a species": "Object.defineProperty(Array, Symbol.species, { value: Object })",
    "a global": "globalThis.RegExp = class {}",
    "an inherited option": "Object.prototype.onToken = () => {}",
}


@pytest.mark.parametrize("name", PATCHES)
def test_no_patched_parser_overlooks_an_operator(spoilt: MiniRacer, name: str) -> None:
    body = f"{PATCHES[name]}; try {{ return Function('return 3 ** 2')() }} catch (error) {{ return error.message }}"
    assert "can't be compiled after changes" in _called(spoilt, body)

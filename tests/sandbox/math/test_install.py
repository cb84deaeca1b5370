"""The portable functions stand in the engine's places, and no job reaches into them."""

from py_mini_racer import MiniRacer

from sandbox.scripts import MATH
from tests.sandbox.math.engines import PortableMath

SHAPE = """JSON.stringify(Object.getOwnPropertyNames(Math).map((name) => {
  const { value, ...attributes } = Object.getOwnPropertyDescriptor(Math, name);
  const own = typeof value === "function" && Reflect.ownKeys(value).map(String);
  return [name, attributes, own, own && [value.name, value.length, "prototype" in value]];
}))"""

# Code that used what is replaced would fail.
PATCHES = """
  const { defineProperty } = Object;
  const spoil = () => { throw new Error("spoilt"); };
  const places = [...Array(8).keys()].map((at) => [Object.prototype, at]);
  for (const { prototype } of [Array, Float64Array, Object.getPrototypeOf(Float64Array), Number, BigInt, Object]) {
    for (const key of Reflect.ownKeys(prototype)) {
      if (Object.getOwnPropertyDescriptor(prototype, key).configurable) places.push([prototype, key]);
    }
  }
  for (const name of Object.getOwnPropertyNames(Math)) if (typeof Math[name] === "function") Math[name] = spoil;
  for (const name of ["Float64Array", "Int32Array", "BigInt", "Number", "Math", "Reflect"]) globalThis[name] = spoil;
  for (let at = 0; at < places.length; at++) {
    defineProperty(places[at][0], places[at][1], { __proto__: null, get: spoil, set: spoil });
  }
"""
CALLS = """((m) => [
  m.sin(1e22), m.cos(0.5), m.tan(4), m.asin(0.7), m.acos(-0.7), m.atan(3), m.atan2(1e-200, 1e-300), m.sinh(2),
  m.cosh(2), m.tanh(2), m.asinh(2), m.acosh(2), m.atanh(0.5), m.cbrt(5), m.pow(-3, 5), m.pow(0.1, 1.5),
  m.hypot(1, 2, 3), m.hypot(1e300, 1e300), m.hypot(1, 2), m.expm1(1), m.log1p(1), m.log2(3),
  m.log10(3), m.exp(2), m.log(5),
])"""


def test_only_the_values_of_the_functions_change() -> None:
    racer = MiniRacer()
    try:
        before = racer.eval(SHAPE)
        functions = "Math.exp, Math.hypot, Math.pow"
        racer.eval(f"globalThis.engine = [{functions}]; 0")
        racer.eval(f"{MATH}; __math.install(Math); delete globalThis.__math;")
        assert racer.eval(SHAPE) == before
        assert racer.eval(f"[{functions}].every((portable, at) => portable !== engine[at])") is True
        assert racer.eval("'__math' in globalThis") is False
    finally:
        racer.close()


def test_no_patch_of_a_job_is_called_by_them() -> None:
    engine = PortableMath()
    try:
        before = engine.eval(f"JSON.stringify({CALLS}(Math).join())")
        script = f"""(() => {{
          const {{ stringify }} = JSON;
          const functions = {{ __proto__: null }};
          for (const name of Object.getOwnPropertyNames(Math)) functions[name] = Math[name];
          const {{ join }} = Array.prototype;
          const {{ apply }} = Reflect;
          const call = {CALLS};
          {PATCHES}
          return stringify(apply(join, call(functions), []));
        }})()"""
        assert engine.eval(script) == before
    finally:
        engine.close()
